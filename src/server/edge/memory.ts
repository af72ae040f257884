import type { RecommenderOptions } from "../../recommender/index.js";
import { MemoryStore, openLog } from "../../storage/index.js";
import type { RankOptions } from "../rank/index.js";
import { Edge } from "./edge.js";
import type { ModelOptions } from "./learner.js";
import { LocalLearner } from "./local.js";
import { beginning } from "./start.js";

/** How a server in memory begins. */
export interface MemoryEdgeOptions {
  /** Options of a new recommender. Default: those of `Recommender`. */
  recommender?: Partial<RecommenderOptions>;
  /** How actions that a caller gives are ranked. Default: those of `RankOptions`. */
  rank?: Partial<RankOptions>;
  /** A file of `Edge.file`, to go on from. Default: a new recommender. */
  file?: Uint8Array;
  /** When a model goes live, and what it must pass. */
  models?: Partial<ModelOptions>;
  /** The host's time, milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
  /** Called with what goes wrong behind the back of requests. */
  onError?: (error: unknown) => void;
}

/**
 * A server on this thread alone, which keeps nothing but what `file` gives: for pages, edge workers and tests. It learns
 * between requests, some records at a time.
 *
 * @throws TypeError or RangeError for wrong options, SnapshotError for a file that is damaged or foreign.
 */
export async function memoryEdge(options: MemoryEdgeOptions = {}): Promise<Edge> {
  const {
    recommender = {},
    rank = {},
    file = beginning(undefined, recommender, rank).file,
    models = {},
    onError,
  } = options;
  const { now = () => Date.now() } = options;
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  const learner = new LocalLearner(file, 0, { ...models, pause });
  return Edge.open({ log: openLog(new MemoryStore()), learner, file, sequence: 0, now, ...(onError && { onError }) });
}
