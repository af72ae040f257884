/** A metric of one policy: the mean, and its 95 % interval over viewers. */
export interface Reading {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

export interface Contestant {
  readonly name: string;
  /** One a day: minutes watched a viewer, of that day. */
  readonly minutesByDay: readonly number[];
  /** Minutes watched a viewer and day, and clicks an impression, since the first day. */
  readonly minutes: Reading | undefined;
  readonly clickRate: Reading | undefined;
}

export interface ShownStream {
  readonly id: string;
  readonly streamer: string;
  readonly category: string;
  readonly viewers: number;
  /** Probability that the policy shows it here. */
  readonly propensity: number;
  /** Why, in a sentence. */
  readonly reason: string;
}

export type Call =
  | { readonly type: "run" }
  | { readonly type: "pause" }
  | { readonly type: "slate" }
  /** Watches a stream of the newest slate. */
  | { readonly type: "watch"; readonly stream: string; readonly minutes: number };

export type Answer =
  | {
      readonly type: "world";
      readonly day: number;
      readonly contestants: readonly Contestant[];
      readonly onAir: number;
      readonly updates: number;
    }
  | {
      readonly type: "slate";
      readonly slate: readonly ShownStream[];
      readonly visits: number;
      readonly tastes: readonly (readonly [string, number])[];
    }
  | { readonly type: "failed"; readonly message: string };
