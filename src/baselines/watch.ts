import { log1p } from "../numeric/index.js";
import { MINUTE, type Watch } from "../protocol/index.js";

/** Longest watch that counts, in minutes. */
const WATCH_MAX = 24 * 60;

/** The weight of a watch: log(1 + minutes), of at most a day. */
export function watchWeight({ watchMs }: Watch): number {
  return log1p(Math.min(watchMs / MINUTE, WATCH_MAX));
}
