import type { Row } from "../../src/cli/writing/results.js";

/** One part of a suite, run in a process of its own. */
export interface Part {
  readonly name: string;
  /** What it measures, for --help. */
  readonly title: string;
  /** Speed and memory: measured with nothing beside them. */
  readonly isTimed: boolean;
  /** @param tell - Takes a line now and then on how far it is. */
  run(tell: (text: string) => void): Row[] | Promise<Row[]>;
}

export const SUITE = "recommender";
