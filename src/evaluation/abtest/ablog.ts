import {
  any,
  checked,
  entries,
  fields,
  finite,
  group,
  moment,
  oneOf,
  or,
  positive,
  type Rules,
  requireShape,
  type Shape,
} from "../../check/index.js";
import { DAY, type Decision, type Id, type LiveEvent, MINUTE } from "../../protocol/index.js";
import { type SavedWatches, Watches } from "../../recommender/state/index.js";
import { ABTest, type ABTestOptions, type SavedABTest } from "./sequential.js";

export interface ABLogOptions {
  /** Value of a user: minutes of all watches, or number of all clicks. Default `watch`. */
  metric: "watch" | "clicks";
  /** Milliseconds since a user's first decision in which events count, > 0. Default 3 days. */
  windowMs: number;
}

const DEFAULTS: ABLogOptions = { metric: "watch", windowMs: 3 * DAY };
const TABLE: Rules<ABLogOptions> = { metric: oneOf("watch", "clicks"), windowMs: positive };

/** A user whose window is open. */
interface Open {
  since: number;
  value: number;
}

/** The result of `ABLog.save`: plain values. */
export interface SavedABLog {
  options: ABLogOptions;
  test: SavedABTest;
  open: [Id, Open][];
  /** Running watches; logs of before heartbeats have none. */
  watches?: SavedWatches;
}

const SAVED: Shape = fields<SavedABLog>({
  options: group,
  test: group,
  open: entries(fields<Open>({ since: moment, value: finite })),
  watches: or(undefined, any),
});

/**
 * Feeds an A/B test from the decisions and events of a platform. Each user counts once, with the value of the metric in
 * a window of time from the user's first decision, when the window is over: all windows have the same length, and a
 * value never changes once it is in the test.
 */
export class ABLog {
  readonly options: Readonly<ABLogOptions>;
  readonly test: ABTest;
  /** In the order in which their windows close. */
  readonly #open = new Map<Id, Open>();
  readonly #watches = new Watches();

  /** @throws TypeError or RangeError for unknown, missing or wrong options. */
  constructor(
    test: ABTest | (Pick<ABTestOptions, "name"> & Partial<ABTestOptions>),
    options: Partial<ABLogOptions> = {},
  ) {
    this.options = checked(options, TABLE, DEFAULTS);
    this.test = test instanceof ABTest ? test : new ABTest(test);
  }

  /** Number of users with an open window. */
  get open(): number {
    return this.#open.size;
  }

  /** Takes a decision, in order of time: the first one for a user opens the window. */
  decision({ user, time }: Pick<Decision, "user" | "time">): void {
    for (const watch of this.#watches.settleRequest(user, time)) this.#take(watch);
    this.advance(time);
    if (!this.#open.has(user) && !this.test.has(user)) this.#open.set(user, { since: time, value: 0 });
  }

  /** Takes an event, in order of time. */
  feedback(event: LiveEvent): void {
    for (const each of this.#watches.settle(event)) this.#take(each);
    this.advance(event.time);
  }

  #take(event: LiveEvent): void {
    this.advance(event.time);
    if (event.kind !== "watch" && event.kind !== "click") return;
    const open = this.#open.get(event.user);
    if (open === undefined) return;
    if (event.kind === "click") open.value += this.options.metric === "clicks" ? 1 : 0;
    else if (this.options.metric === "watch") open.value += event.watchMs / MINUTE;
  }

  /** Closes the windows that are over at a time in milliseconds. */
  advance(now: number): void {
    for (const [user, { since, value }] of this.#open) {
      if (now < since + this.options.windowMs) break;
      this.#open.delete(user);
      this.test.add(user, value);
    }
  }

  /** Everything, as plain values for JSON. */
  save(): SavedABLog {
    return structuredClone({
      options: this.options,
      test: this.test.save(),
      open: [...this.#open],
      watches: this.#watches.save(),
    });
  }

  /** The log that `save` wrote. @throws as {@link ABTest.load}. */
  static load(saved: SavedABLog): ABLog {
    requireShape(SAVED, saved, "saved");
    const log = new ABLog(ABTest.load(saved.test), saved.options);
    for (const [user, { since, value }] of saved.open) log.#open.set(user, { since, value });
    if (saved.watches !== undefined) log.#watches.load(saved.watches);
    return log;
  }
}
