/** The fields of a candidate that the limits of a slate, and its diversity, read. */
export interface Grouped {
  readonly streamer: string;
  readonly category: string;
  /** The platform's vectors of the stream, where it gave any. */
  readonly embeddings?: { readonly text?: Float32Array; readonly image?: Float32Array; readonly audio?: Float32Array };
}

/** One score set of some candidates. */
export interface Scores {
  /** One value for each candidate; with `choices`, its value given that it is entered. */
  readonly values: Float32Array;
  /**
   * One weight > 0 for each candidate: how likely it is entered, relative to 1 for nothing. Default: none, and the
   * values are scores of their own, whatever else is in the slate.
   */
  readonly choices?: Float32Array | undefined;
  /** The value of a slate of which nothing is entered. Default 0. Read with `choices` only. */
  readonly nothing?: number | undefined;
}

/** Candidates to choose from, with their scores. */
export interface Scored extends Scores {
  readonly candidates: readonly Grouped[];
  /** Score sets of the same candidates, of which one is followed for a whole slate. Default: the one of this object. */
  readonly heads?: readonly Scores[] | undefined;
  /** One row for each candidate, one after the other; read where a slate is to be diverse. Default: all the same. */
  readonly rows?: Float32Array | undefined;
  /** The impressions of a candidate's streamer; asked where there is a bonus. Default: 0. */
  readonly impressions?: ((index: number) => number) | undefined;
  /** How often the user was shown a candidate in this session and entered it never; asked with `seenMax`. Default: 0. */
  readonly ignored?: ((index: number) => number) | undefined;
}

/** The states of a candidate while a slate is chosen: a position takes an open one, or if there are none a late one. */
export const OPEN = 0;
export const LATE = 1;
export const CLOSED = 2;
