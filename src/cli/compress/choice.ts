import { arithmeticMean, type Interval, meanInterval } from "../../statistics/index.js";
import type { Attempt } from "./attempts.js";

/** An attempt with what it lost. */
export interface Judged {
  readonly attempt: Attempt;
  /** Of the mean return, or of the best actions: a share; below 0 it gained. With its 95 % interval. */
  readonly loss: Interval;
  /** In which it values a state. */
  readonly microseconds: number;
}

/** The share of a return that another one lost, episode by episode of the same seeds. */
export function lossOf(before: readonly number[], after: readonly number[]): Interval {
  const unit = Math.abs(arithmeticMean(before)) || 1;
  return meanInterval(before.map((own, i) => (own - after[i]!) / unit));
}

/**
 * The attempt to keep: of those that lost no more than `most` and reach the target the one that lost least, else the
 * smallest of those that lost no more; undefined where all did.
 */
export function chosen(all: readonly Judged[], most: number, target: number): Judged | undefined {
  const good = all.filter(({ loss }) => loss.value <= most);
  const reaching = good.filter(({ attempt }) => attempt.ratio >= target);
  const best = (some: readonly Judged[], of: (one: Judged) => number) =>
    some.reduce<Judged | undefined>((a, b) => (a === undefined || of(b) < of(a) ? b : a), undefined);
  return best(reaching, ({ loss }) => loss.value) ?? best(good, ({ attempt }) => attempt.bytes);
}
