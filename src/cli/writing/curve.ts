import { sparkline } from "../reports/index.js";
import { notePlot } from "./results.js";

/** Points that are kept: of more, every second one goes, so that a long run takes no more than a short one. */
const POINTS = 512;

/** A figure of a training as it goes on: a small picture in the line of progress, and a curve of a report. */
export class Curve {
  readonly #title: string;
  readonly #x: string;
  readonly #points: (readonly [x: number, y: number])[] = [];
  #every = 1;
  #offered = 0;

  /** @param x - What stands under the horizontal axis. */
  constructor(title: string, x: string) {
    this.#title = title;
    this.#x = x;
  }

  /** Takes a point; what is not finite is left out. */
  add(x: number, y: number): void {
    if (!Number.isFinite(y) || this.#offered++ % this.#every !== 0) return;
    this.#points.push([x, y]);
    if (this.#points.length < POINTS) return;
    this.#every *= 2;
    for (let i = 0; i < POINTS / 2; i++) this.#points[i] = this.#points[2 * i]!;
    this.#points.length = POINTS / 2;
  }

  /** The curve so far as a line of blocks. */
  get picture(): string {
    return sparkline(this.#points.map(([, y]) => y));
  }

  /** Hands it to the report. */
  note(): void {
    if (this.#points.length < 2) return;
    const x = { label: this.#x, values: this.#points.map(([at]) => at) };
    notePlot({ title: this.#title, x, curves: [{ name: this.#title, values: this.#points.map(([, y]) => y) }] });
  }
}
