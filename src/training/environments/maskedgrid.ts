import type { Environment, StepResult } from "../environment.js";
import { Episode, fieldsOf, indexOf } from "./episode.js";

/** Columns and rows of a move up, to the right, down and to the left. */
const MOVES = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const;

const STEP_REWARD = -0.04;
const GOAL_REWARD = 1;
const PIT_REWARD = -1;

/** The default grid. */
const LAYOUT = [
  "...#G", //
  ".#.#.",
  ".#...",
  "...#P",
  ".#...",
];

/**
 * A grid whose walls rule out moves: `mask` offers only the possible ones.
 *
 * Observation: one number for each cell, 1 at the walker's. Actions: up, right, down, left. Reward -0.04 a step,
 * +1 for the one into the goal and -1 for the one into a pit instead, which both end the episode; it is truncated after
 * four steps for each cell. An episode starts in any other free cell, each equally likely. After Russell & Norvig's
 * grid, without its slipping.
 */
export class MaskedGrid implements Environment {
  readonly observationSize: number;
  readonly actions = 4;
  /** Rows of cells: `.` free, `#` wall, `G` goal, `P` pit. */
  readonly layout: readonly string[];
  /** Cells that an episode may start in, row by row. */
  readonly starts: readonly number[];
  readonly #width: number;
  readonly #episode: Episode;
  readonly #observation: Float32Array;
  readonly #mask = new Uint8Array(4);
  #cell = 0;

  /**
   * @param layout - Rows of equal length; from every free cell there must be a way to a goal. Default: 5 x 5.
   * @throws RangeError for an invalid layout.
   */
  constructor(layout: readonly string[] = LAYOUT) {
    const width = layout[0]?.length ?? 0;
    if (width === 0 || layout.some((row) => row.length !== width || /[^.#GP]/.test(row))) {
      throw new RangeError('"layout" must be rows of equal length, made of ".", "#", "G" and "P"');
    }
    this.layout = [...layout];
    this.#width = width;
    this.observationSize = width * layout.length;
    this.starts = [...layout.join("")].flatMap((kind, cell) => (kind === "." ? [cell] : []));
    this.#observation = new Float32Array(this.observationSize);
    this.#episode = new Episode("maskedgrid", this.actions, 4 * this.observationSize);
    const reached = this.#reachGoal();
    if (this.starts.length === 0 || !this.starts.every((cell) => reached.has(cell))) {
      throw new RangeError('"layout" must have a free cell, and a way from every one of them to a goal');
    }
  }

  /** Index of the walker's cell: row * width + column. */
  get cell(): number {
    return this.#cell;
  }

  reset(seed?: number): Float32Array {
    this.#cell = this.#episode.begin(seed).pick(this.starts);
    return this.#observe();
  }

  step(action: number): StepResult {
    this.#episode.check(action);
    const next = this.neighbour(this.#cell, action);
    if (next < 0) throw new RangeError(`"action" must be one that mask() offers, got ${action}`);
    this.#cell = next;
    return { observation: this.#observe(), reward: this.#reward(next), ...this.#episode.end(this.#isEnd(next)) };
  }

  state(): unknown {
    return { episode: this.#episode.state(), cell: this.#cell };
  }

  restore(state: unknown): void {
    const { episode, cell } = fieldsOf(state, "episode", "cell");
    const index = indexOf("cell", cell, this.observationSize);
    this.#episode.restore(episode);
    this.#cell = index;
  }

  mask(): Uint8Array {
    for (let action = 0; action < 4; action++) this.#mask[action] = this.neighbour(this.#cell, action) < 0 ? 0 : 1;
    return this.#mask;
  }

  /** The cell that a move leads to, -1 where there is a wall or an edge. */
  neighbour(cell: number, action: number): number {
    const [columns, rows] = MOVES[action]!;
    const column = (cell % this.#width) + columns;
    const row = Math.floor(cell / this.#width) + rows;
    const kind = this.layout[row]?.[column] ?? "#";
    return kind === "#" ? -1 : row * this.#width + column;
  }

  /**
   * The optimal value of each cell: the sum of future rewards, each discounted by the steps before it.
   * Goals and pits are worth 0; walls are NaN.
   *
   * @param gamma - Discount for each step, [0, 1].
   */
  optimalValues(gamma: number): Float64Array {
    const kinds = this.layout.join("");
    const values = Float64Array.from(kinds, (kind) => (kind === "#" ? Number.NaN : kind === "." ? -Infinity : 0));
    // Each sweep carries the values one step further; no best walk is longer than there are cells.
    for (let sweep = 0; sweep < kinds.length; sweep++) {
      for (const cell of this.starts) {
        for (let action = 0; action < 4; action++) {
          const next = this.neighbour(cell, action);
          if (next < 0) continue;
          const value = this.#reward(next) + (this.#isEnd(next) ? 0 : gamma * values[next]!);
          if (value > values[cell]!) values[cell] = value;
        }
      }
    }
    return values;
  }

  /** The goals, and all cells from which there is a way to one. */
  #reachGoal(): Set<number> {
    const reached = new Set([...this.layout.join("")].flatMap((kind, cell) => (kind === "G" ? [cell] : [])));
    // Moves lead both ways, so that the way back from a goal is followed; the set grows while it is walked through.
    for (const cell of reached) {
      for (let action = 0; action < 4; action++) {
        const next = this.neighbour(cell, action);
        if (next >= 0 && this.#kind(next) === ".") reached.add(next);
      }
    }
    return reached;
  }

  #kind(cell: number): string {
    return this.layout[Math.floor(cell / this.#width)]![cell % this.#width]!;
  }

  #isEnd(cell: number): boolean {
    return this.#kind(cell) !== ".";
  }

  #reward(cell: number): number {
    const kind = this.#kind(cell);
    return kind === "G" ? GOAL_REWARD : kind === "P" ? PIT_REWARD : STEP_REWARD;
  }

  #observe(): Float32Array {
    this.#observation.fill(0);
    this.#observation[this.#cell] = 1;
    return this.#observation;
  }
}
