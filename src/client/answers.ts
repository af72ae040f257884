import type { Decision, OnAir, Request, StreamUpdate } from "../protocol/index.js";

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
