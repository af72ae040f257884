import { PriorityQueue } from "../../collections/index.js";

/** What is still to happen, in order of time; what is due at the same time happens in the order it was put in. */
export class EventQueue {
  readonly #agenda = new PriorityQueue<{ time: number; act: (now: number) => void }>();

  /** Time of the next entry; Infinity when there is none. */
  get next(): number {
    return this.#agenda.first?.time ?? Infinity;
  }

  /** Has `act` called at `time`. */
  at(time: number, act: (now: number) => void): void {
    this.#agenda.push({ time, act });
  }

  /** Takes the next entry out and calls it. Requires that there is one. */
  step(): void {
    const { time, act } = this.#agenda.pop();
    act(time);
  }
}
