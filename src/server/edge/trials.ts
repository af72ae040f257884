import { any, checked, fields, group, or, type Rule, type Rules, requireShape, type Shape } from "../../check/index.js";
import { SnapshotError } from "../../engine/index.js";
import { ABLog, type ABLogOptions, type ABResult, type ABTestOptions, type TestArm } from "../../evaluation/index.js";
import { hashText64 } from "../../numeric/index.js";
import type { Decision, Id, LiveEvent } from "../../protocol/index.js";

/** By what an arm's users are answered: the newest model, a model that is kept, or the most viewed streams. */
export type ArmPolicy = "newest" | "popular" | { readonly model: number };

/** An A/B test of two policies over the users of a server. */
export interface TrialOptions
  extends Pick<ABTestOptions, "name" | "share" | "alpha" | "margin" | "users" | "atLeast">,
    ABLogOptions {
  /** The policy of arm `a`, the control. Default `newest`. */
  a: ArmPolicy;
  /** The policy of arm `b`. */
  b: ArmPolicy;
}

/** An experiment and its results. */
export interface TrialReport {
  readonly options: TrialOptions;
  readonly startedAt: number;
  /** Users whose window is open: they do not count yet. */
  readonly open: number;
  readonly result: ABResult;
}

export const armPolicy: Rule = [
  (value) =>
    value === "newest" ||
    value === "popular" ||
    (group[0](value) &&
      Object.keys(value as object).join() === "model" &&
      Number.isSafeInteger((value as { model: unknown }).model)),
  '"newest", "popular" or { model: VERSION }',
];

const pass: Rule = [() => true, ""];
/** What the A/B test itself checks passes here. */
const RULES: Rules<TrialOptions> = {
  ...{ name: pass, share: pass, alpha: pass, margin: pass, users: pass, atLeast: pass, metric: pass, windowMs: pass },
  a: armPolicy,
  b: armPolicy,
};

interface Running {
  readonly options: TrialOptions;
  readonly startedAt: number;
  readonly log: ABLog;
}

interface Saved {
  options: TrialOptions;
  startedAt: number;
  log: unknown;
}

const SHAPE: Shape = or(undefined, fields<Saved>({ options: any, startedAt: any, log: any })) as Shape;

/** Checks what an experiment is started with, with all defaults in place. @throws TypeError, RangeError. */
export function checkedTrial(given: Record<string, unknown>): TrialOptions {
  const { a, b, metric, windowMs, ...test } = checked<TrialOptions>(given as never, RULES, {
    a: "newest",
  } as TrialOptions);
  if (b === undefined) throw new RangeError(`"b" must be ${armPolicy[1]}, got undefined`);
  const log = new ABLog(defined({ ...test }) as never, defined({ metric, windowMs }));
  const { name, share, alpha, margin, users, atLeast } = log.test.options;
  return { name, share, alpha, margin, users, atLeast, ...log.options, a, b };
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * The experiment of a server, or none. Who serves asks it for arms; it is fed with what the log holds, so that results last
 * over restarts. It keeps hashes in place of users' names.
 */
export class Trials {
  #running: Running | undefined;

  get options(): TrialOptions | undefined {
    return this.#running?.options;
  }

  /** Starts an experiment, in place of the one before; undefined ends it. `options`: of `checkedTrial`. */
  set(options: TrialOptions | undefined, now: number): void {
    if (options === undefined) this.#running = undefined;
    else {
      const { a: _, b: __, metric, windowMs, ...test } = options;
      this.#running = { options, startedAt: now, log: new ABLog(test, { metric, windowMs }) };
    }
  }

  /** The arm of a user, and its policy; undefined without an experiment. */
  of(user: Id): { arm: TestArm; policy: ArmPolicy } | undefined {
    if (this.#running === undefined) return undefined;
    const arm = this.#running.log.test.arms.of(nameless(user));
    return { arm, policy: this.#running.options[arm] };
  }

  decision({ user, time }: Pick<Decision, "user" | "time">): void {
    this.#running?.log.decision({ user: nameless(user), time });
  }

  /** An event that was taken. */
  feedback(event: LiveEvent): void {
    if (
      this.#running === undefined ||
      !(event.kind === "click" || event.kind === "watch" || event.kind === "heartbeat")
    )
      return;
    this.#running.log.feedback({ ...event, user: nameless(event.user) });
  }

  report(): TrialReport | undefined {
    if (this.#running === undefined) return undefined;
    const { options, startedAt, log } = this.#running;
    return { options, startedAt, open: log.open, result: log.test.result() };
  }

  save(): Uint8Array {
    const { options, startedAt, log } = this.#running ?? {};
    return new TextEncoder().encode(JSON.stringify(log === undefined ? null : { options, startedAt, log: log.save() }));
  }

  /** @throws SnapshotError for a file that is damaged or foreign. */
  static load(file: Uint8Array): Trials {
    const trials = new Trials();
    try {
      const saved = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file)) as Saved | null;
      if (saved === null) return trials;
      requireShape(SHAPE, saved, "trials");
      const options = checkedTrial(saved.options as unknown as Record<string, unknown>);
      trials.#running = { options, startedAt: saved.startedAt, log: ABLog.load(saved.log as never) };
    } catch (cause) {
      throw new SnapshotError(`the file's experiment: ${(cause as Error).message}`);
    }
    return trials;
  }
}

/** A user as the experiment knows it. */
function nameless(user: Id): Id {
  return hashText64(user).join(".");
}
