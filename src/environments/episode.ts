import { Random } from "../random.js";

/** What all environments keep of an episode: its seed, its steps, and whether it is over. */
export class Episode {
  readonly #name: string;
  readonly #actions: number;
  readonly #limit: number;
  #seed = 0;
  #steps = 0;
  #isOver = true;

  /** @param limit - Steps after which an episode is truncated. */
  constructor(name: string, actions: number, limit: number) {
    this.#name = name;
    this.#actions = actions;
    this.#limit = limit;
  }

  /** Starts an episode: what it draws from. Without a seed, that of the episode before plus one. */
  begin(seed: number = this.#seed): Random {
    const random = Random.named(seed, this.#name);
    this.#seed = seed + 1;
    this.#steps = 0;
    this.#isOver = false;
    return random;
  }

  /** Refuses a step that cannot be taken. */
  check(action: number): void {
    if (!Number.isInteger(action) || action < 0 || action >= this.#actions) {
      throw new RangeError(`"action" must be an integer in [0, ${this.#actions - 1}], got ${action}`);
    }
    if (this.#isOver) throw new Error("the episode is over: reset() must be called before step()");
  }

  /** Counts a step. */
  end(terminated: boolean): { terminated: boolean; truncated: boolean } {
    const truncated = ++this.#steps >= this.#limit;
    this.#isOver = terminated || truncated;
    return { terminated, truncated };
  }
}
