import type { Figure } from "../../statistics/index.js";
import type { KeptRankModels, RankModel } from "../rank/index.js";
import type { Model } from "./agent.js";
import type { Candidate } from "./gallery.js";
import type { HeldBack } from "./learner.js";

/** What a learner says after it was told records. */
export interface Learned {
  /** The sequence number of the next record that it needs. */
  readonly next: number;
  /** A new model that may go live. */
  readonly model?: Model | undefined;
  /** New weights by which actions are ranked. */
  readonly rank?: RankModel | undefined;
  readonly heldBack?: HeldBack | undefined;
  /** The last model of ranking, where it did not pass the gates. */
  readonly rankHeldBack?: HeldBack | undefined;
  /** Set when nobody needs them any more: the log may be trimmed up to here. */
  readonly trimTo?: number | undefined;
  /** Whether it has saved itself just now. */
  readonly isSaved?: boolean;
}

/** Which models a server can go back to. */
export interface KeptModels {
  readonly versions: readonly number[];
  /** The one that somebody went back to; undefined: the newest answers. */
  readonly pinned: number | undefined;
  /** What scores in the shadow. Default: nothing. */
  readonly shadow?: Candidate | undefined;
  /** Those of ranking. Default: as they are. */
  readonly rank?: KeptRankModels;
}

/** The learner of a server, on this thread or another. */
export interface LearnerPort {
  /** Takes records of the log, the first with this sequence number, and answers when it has learned from them. */
  take(first: number, records: readonly Uint8Array[]): Promise<Learned>;
  /** Saves itself now, where it has a place to. `isAlone`: and removes what it saved before. */
  save(isAlone?: boolean): Promise<Learned>;
  /** Keeps these models for a later start, and no others, where it has a place to. Default: it keeps none. */
  keep?(models: KeptModels): Promise<void>;
  /** What the policy has brought since the server began, with intervals. Default: nobody measures. */
  figures?(): Promise<Figure[]>;
  /** A file of all that it knows. */
  file(): Promise<Uint8Array>;
  close(): Promise<void>;
}
