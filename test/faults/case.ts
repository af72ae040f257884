/** A figure of a case. */
export interface Figure {
  metric: string;
  value: number;
  unit: string;
  /** The most it may be; left out: it is told, and not judged. */
  most?: number;
  /** The least it may be. */
  least?: number;
  /** How the figures of two parts become one: their sum, or the larger. Default: the sum. */
  merge?: "sum" | "max";
}

/** What goes wrong, and what must be right all the same. */
export interface FaultCase {
  readonly name: string;
  /** What is counted: `kills`. */
  readonly unit: string;
  /** How many a whole run does, and the tests of every day. */
  readonly full: number;
  readonly few: number;
  /** How many are one part, after which a run may end and later go on. */
  readonly part: number;
  /** Does so many, other ones for each seed. @param tell Takes a line of progress. @throws Error if something is wrong. */
  run(count: number, seed: number, tell: (line: string) => void): Promise<Figure[]>;
}

/** Tells now and then how far a case is. */
export function progress(tell: (line: string) => void, unit: string, count: number): (done: number) => void {
  const step = Math.max(1, Math.floor(count / 10));
  return (done) => {
    if (done % step === 0) tell(`${done} of ${count} ${unit}`);
  };
}
