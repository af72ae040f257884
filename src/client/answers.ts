import type { Decision, Id, OnAir, Request, StreamUpdate } from "../protocol/index.js";

/** A request for a slate; the time is the server's. */
export type SlateRequest = Omit<Request, "now">;

/** What is said of a stream that goes on air. Default of `time`: the server's. */
export type StreamStart = Omit<OnAir, "kind" | "stream" | "time"> & { time?: number };

/** What changes of a stream on air. Default of `time`: the server's. */
export type StreamChange = Omit<StreamUpdate, "kind" | "stream" | "time"> & { time?: number };

/** A request of a batch that was not answered, and why. */
export interface RequestFault {
  error: { field: string; message: string };
}

/** An event that the server did not take, and why. */
export interface EventFault {
  /** Index among the events that were sent, from 0. */
  index?: number;
  /** `duplicate`: it came before. `late`: too old. `invalid`: never right. `conflict`: another event has its id. */
  answer: "duplicate" | "late" | "invalid" | "conflict";
  /** Path of the wrong field; empty when the event as a whole is wrong. */
  field: string;
  message: string;
}

/** What became of events. */
export interface EventsAnswer {
  accepted: number;
  duplicates: number;
  late: number;
  rejected: number;
  /** Every event that was not taken. */
  faults: EventFault[];
}

/** What became of an event of a stream. */
export interface StreamAnswer {
  answer: "taken" | "duplicate" | "late";
}

/** A model that the server can go back to. */
export interface ServerModel {
  version: number;
  sequence: number;
  transitions: number;
  updates: number;
  /** null where there is none yet. */
  loss: number | null;
  qMean: number | null;
}

/** Counts of a server's work. */
export interface ServerCounts {
  requests: number;
  events: number;
  unlogged: number;
  /** Logged records that the learner has not yet seen. */
  behind: number;
  /** The model that answers. */
  model: number;
  modelUpdates: number;
  modelAt: number;
  /** Whether newer models wait. */
  isPinned: boolean;
  failed?: "learner" | "log";
}

/** The models of a server beside its counts. */
export interface ModelsAnswer extends ServerCounts {
  models: ServerModel[];
}

/** Counts of a server, and those of its recommender. */
export interface StatsAnswer extends ServerCounts {
  recommender: Record<string, unknown>;
}

/** All that is known of a user, as plain values. */
export type ProfileAnswer = Record<string, unknown>;

/** The slates of a batch, in its order, or why there is none. */
export type BatchAnswer = (Decision | RequestFault)[];

/** Whether a user was known before being forgotten. */
export interface ForgetAnswer {
  wasKnown: boolean;
}

/** Features of a context or an action: texts, numbers, true and false by name, or several such objects. */
export type RankingFeatures = Record<string, unknown> | readonly Record<string, unknown>[];

/** How a ranking explores. */
export type RankingExploration =
  | { policy: "epsilon"; epsilon: number }
  | { policy: "boltzmann"; temperature: number }
  | { policy: "top"; m: number; epsilon: number };

/** A choice among actions of the caller's own. */
export interface RankingRequest {
  /** The name of the event, for its reward. Default: a unique one. */
  eventId?: Id;
  context?: RankingFeatures;
  /** At most 200. */
  actions: readonly { id: Id; features?: RankingFeatures }[];
  excludedActions?: readonly Id[];
  /** Whether the event waits for `activate`. Default false. */
  deferActivation?: boolean;
  /** Default: the server's. */
  exploration?: RankingExploration;
}

/** The chosen action, and the probability of each to be. */
export interface RankingAnswer {
  eventId: Id;
  ranking: { id: Id; probability: number }[];
  rewardActionId: Id;
}

/** What became of a reward or an activation. */
export interface RewardAnswer {
  answer: "taken" | "duplicate";
}

/** What ranking is like. */
export interface RankReportAnswer {
  /** Whether it serves the first action, and learns. */
  isApprentice: boolean;
  /** The model that ranks, its updates, and whether newer ones wait since somebody went back to it. */
  model: number;
  updates: number;
  isPinned: boolean;
  /** The last model, where it did not pass the gates. */
  heldBack?: { updates: number; reason: string };
  choices: number;
  rewards: number;
  /** Events that got the default reward. */
  expired: number;
  /** null before the first reward. */
  meanReward: number | null;
  /** How often an apprentice would have chosen the first action, with its 95 % interval. */
  agreement: { compared: number; share: number | null; lo: number; hi: number };
}

/** The models of ranking beside its report. */
export interface RankModelsAnswer extends RankReportAnswer {
  /** `version` 0: nothing was learned, and the caller's order counts. */
  models: { version: number; updates: number; loss: number | null }[];
}

/** What scores in the shadow: the newest model, or one by its version. */
export type ShadowCandidate = "newest" | { model: number };

/** How far a candidate agrees with the model that answers, over requests that both scored. */
export interface ShadowAnswer {
  candidate: ShadowCandidate;
  requests: number;
  /** Share of requests with the same best stream; null before the first. */
  sameBest: number | null;
  /** Mean difference of values, candidate minus the other, and its root mean square; null before the first. */
  difference: number | null;
  rmsDifference: number | null;
}

/** What an A/B test compares: the newest model, the most viewed streams, or a model by its version. */
export type ExperimentPolicy = "newest" | "popular" | { model: number };

/** An A/B test; the README of the server lists its other options. */
export interface ExperimentOptions extends Record<string, unknown> {
  name?: string;
  /** Default `newest`. */
  a?: ExperimentPolicy;
  b: ExperimentPolicy;
}

/** An A/B test, and its results so far. */
export interface ExperimentAnswer {
  options: ExperimentOptions;
  startedAt: number;
  /** Users who do not count yet. */
  open: number;
  result: Record<string, unknown>;
}
