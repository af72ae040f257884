import type { PolicyName } from "../../baselines/index.js";
import type { PlatformOptions, SimulationResult } from "../../simulator/index.js";
import type { Figure } from "../../statistics/index.js";
import type { JsonOptions } from "../reading/options.js";

/** Options of a learner as JSON holds them, or most popular in its place. */
export type Who = JsonOptions | "popular";

/** Who can serve a generated platform: a policy, or an oracle that sees what policies have to learn. */
export type Contestant = PolicyName | "stay-oracle" | "satisfaction-oracle";

/** One contestant serves one world. */
export interface WorldTask {
  kind: "world";
  contestant: Contestant;
  platform: Partial<PlatformOptions> & Pick<PlatformOptions, "seed">;
  /** Of the contestant. Default: its own. */
  options?: JsonOptions;
  /** How its values are compared with the returns that followed. Default: they are not. */
  valued?: { gamma: number; warmupDays: number; days: number };
}

/** What came of a world. */
export interface WorldResult extends SimulationResult {
  /** Values beside returns, or why there are none; of a task that compares them. */
  returns?: Figure[] | string;
}

/** A log, in files. */
export interface LogFiles {
  events: string[];
  decisions?: string[];
}

/** Who learns from the log of another policy, and is judged by the clicks of a later time. */
export interface LogTask extends LogFiles {
  kind: "log";
  who: Who;
  seed: number;
  /** Length of the lists. */
  k: number;
  /** Milliseconds: decisions teach from the first to the second time, clicks from the second to the third are the cases. */
  cuts: readonly [learn: number, judge: number, until: number];
}

/** Who learns from the ratings of films, and is judged by an item of each user that was held out. */
export interface FilmTask {
  kind: "films";
  folder: string;
  who: Who;
  seed: number;
  k: number;
  /** Share of the users to learn from and judge by, (0, 1]. */
  share: number;
  /** Whether the last item of each user is held out, in place of the last but one. */
  isLast: boolean;
}

/** Work for a process of its own. */
export type Task = WorldTask | LogTask | FilmTask;

/** What one task measured: sums by group of users or by world. */
export interface Judged {
  sums: [group: number, amount: number, of: number][];
  /** Updates of the learner. */
  updates?: number;
}

/** What a task results in. */
export type ResultOf<T extends Task> = T extends WorldTask ? WorldResult : Judged;

/** Messages of a worker: its progress, then its result or why there is none. */
export type Message = { fraction: number } | { result: unknown; seconds: number } | { error: string };
