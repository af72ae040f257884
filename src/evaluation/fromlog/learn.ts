import type { Id, LiveEvent, LoggedDecision } from "../../protocol/index.js";
import { Recommender, type RecommenderOptions, type RecommenderStats } from "../../recommender/index.js";
import { UserShares } from "../../recommender/learning/index.js";
import { groupOf } from "../../statistics/index.js";
import { type CompletionCounts, LogCompleter, type LogContents } from "../decisions/complete.js";
import { isEvent, type LogEntry, Timekeeper, timed } from "../decisions/entries.js";
import { whyUntrained } from "./causes.js";
import { checkedLearning, type LearnFromLogOptions } from "./options.js";
import { logSettings } from "./settings.js";
import { isRepeatable, type LogSource, OpenedLog, opened } from "./source.js";
import { LogTeacher } from "./teacher.js";
import { figureOf, Judge, type Validation } from "./validation.js";

/** A pass over a log. */
export interface LearnEpoch {
  epoch: number;
  updates: number;
  /** Mean loss of the latest updates before the held-out part; NaN without any. */
  loss: number;
  /** The figure that decides, of the held-out part; NaN without one. */
  figure: number;
}

/** What came of learning from a log. */
export interface LearnedFromLog {
  recommender: Recommender;
  /** Events and decisions of the log, and what it lacked. */
  events: number;
  decisions: number;
  counts: CompletionCounts;
  /** What the first events have. */
  contents: LogContents;
  stats: RecommenderStats;
  /** Over all passes. */
  transitions: number;
  updates: number;
  epochs: LearnEpoch[];
  /** The pass whose weights it has, from 1. */
  bestEpoch: number;
  /** `epochs`: all passes were made. `patience`: the held-out figure rose no more. `untrained`: nothing was learned. */
  stopped: "epochs" | "patience" | "untrained";
  /** Time from which on the log was held out; undefined: it was not. */
  from: number | undefined;
  /** Figures of the held-out part; undefined without one, or without cases in it. */
  validation: Validation | undefined;
  /** By fold, figures of users whose decisions were not learned from. */
  folds: Validation[];
  /** Entries that were not learned from, and the first of them with the reason. */
  refused: number;
  example: string;
  /** Why it learned nothing, and what to do; undefined where it learned. */
  cause: string | undefined;
}

/** Entries between two calls of `onProgress`. */
const STEP = 1024;

const METRICS = { ndcg: (k: number) => `ndcg_at_${k}`, hits: (k: number) => `hr_at_${k}`, mrr: () => "mrr" } as const;

/** A run over one log, with one set of users whose decisions teach. */
class Run {
  readonly from: number;
  readonly #given: Recommender | Partial<RecommenderOptions>;
  readonly #log: LogSource<LiveEvent>;
  readonly #options: LearnFromLogOptions;
  readonly #fold: number | undefined;
  /** Of the latest pass. */
  opened: OpenedLog | undefined;
  teacher: LogTeacher | undefined;

  constructor(
    given: Recommender | Partial<RecommenderOptions>,
    log: LogSource<LiveEvent>,
    options: LearnFromLogOptions,
    from: number,
    fold?: number,
  ) {
    this.#given = given;
    this.#log = log;
    this.#options = options;
    this.from = from;
    this.#fold = fold;
  }

  isLeftOut(user: Id): boolean {
    return this.#fold !== undefined && groupOf(user) % this.#options.folds === this.#fold;
  }

  /** The options that the recommender has, or will have. Requires that the first entry was read. */
  get options(): Partial<RecommenderOptions> {
    const given = this.#given;
    return given instanceof Recommender ? given.options : logSettings(this.opened!.contents, given);
  }

  /** The log's entries, complete. */
  entries(): AsyncIterable<LogEntry> {
    const { log, decisions } = this.#options;
    this.opened = new OpenedLog(opened(this.#log), decisions && opened(decisions), log);
    return this.opened.entries();
  }

  /** A pass: it learns until the held-out part, which is judged. */
  async pass(epoch: number, before?: Recommender, shares?: UserShares): Promise<Judge | undefined> {
    const { signal, onProgress } = this.#options;
    let judge: Judge | undefined;
    let entries = 0;
    for await (const one of timed(this.entries())) {
      if (entries === 0) judge = this.#begin(before, shares);
      signal?.throwIfAborted();
      if (one.now < this.from) this.teacher!.teach(one);
      judge?.take(one);
      if (++entries % STEP === 0) {
        onProgress?.({ fold: this.#fold, epoch, entries, recommender: this.teacher!.recommender });
      }
    }
    if (entries === 0) this.#begin(before, shares);
    return judge;
  }

  #begin(before: Recommender | undefined, shares: UserShares | undefined): Judge | undefined {
    const given = this.#given;
    const recommender = before?.restarted() ?? (given instanceof Recommender ? given : new Recommender(this.options));
    const times = (decision: LoggedDecision) => (this.isLeftOut(decision.user) ? 0 : (shares?.times(decision) ?? 1));
    this.teacher = new LogTeacher(recommender, times);
    if (this.from === Infinity) return undefined;
    const { k, target } = this.#options;
    const users = this.#fold === undefined ? undefined : (user: Id) => this.isLeftOut(user);
    return Judge.of(recommender, this.from, { k, target, users });
  }
}

/** First and last time of a log, by the time at the place of each event. */
async function spanOf(log: LogSource<LiveEvent>, signal: AbortSignal | undefined): Promise<[number, number]> {
  let [first, last] = [Infinity, 0];
  const keeper = new Timekeeper<LiveEvent>(({ now }) => {
    first = Math.min(first, now);
    last = now;
  });
  for await (const event of opened(log)) {
    signal?.throwIfAborted();
    keeper.push(event);
  }
  keeper.end();
  return [first, last];
}

/** Counts each user's transitions, so that all users have an equal share. */
async function sharesOf(run: Run): Promise<UserShares> {
  let shares: UserShares | undefined;
  for await (const { entry, now } of timed(run.entries())) {
    shares ??= new UserShares(run.options.seed ?? 1, run.options.pending);
    const counts = isEvent(entry) || !run.isLeftOut(entry.user);
    if (now < run.from && counts) shares.count(entry, now);
  }
  return shares ?? new UserShares(1);
}

interface Fitted {
  recommender: Recommender;
  epochs: LearnEpoch[];
  bestEpoch: number;
  stopped: LearnedFromLog["stopped"];
  judge: Judge | undefined;
}

/** Passes until the held-out figure rises no more; the recommender then has the best weights. */
async function learned(run: Run, { epochs, patience, metric, k }: LearnFromLogOptions, shares?: UserShares) {
  const passes: LearnEpoch[] = [];
  let recommender: Recommender | undefined;
  let best: { epoch: number; figure: number; weights: Float32Array | undefined; judge: Judge | undefined } | undefined;
  let stopped: Fitted["stopped"] = "epochs";
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const before = recommender?.stats().updates ?? 0;
    const judge = await run.pass(epoch, recommender, shares);
    recommender = run.teacher!.recommender;
    const { updates, loss, transitions } = recommender.stats();
    const figure = judge ? figureOf(judge.result({ resamples: 1 }).figures, METRICS[metric](k)) : Number.NaN;
    passes.push({ epoch, updates: updates - before, loss, figure });
    if (transitions === 0) {
      stopped = "untrained";
      break;
    }
    if (best === undefined || !(figure <= best.figure)) {
      const isLast = epoch === epochs;
      best = { epoch, figure, weights: isLast ? undefined : recommender.copyWeights(), judge };
    } else if (epoch - best.epoch >= patience) {
      stopped = "patience";
      break;
    }
  }
  if (recommender!.stats().updates === 0) stopped = "untrained";
  if (best?.weights !== undefined && best.epoch < passes.length) recommender!.restoreWeights(best.weights);
  return { recommender: recommender!, epochs: passes, bestEpoch: best?.epoch ?? 1, stopped, judge: best?.judge };
}

/**
 * Teaches a recommender the log of another policy, or of no policy at all: it rebuilds decisions from impressions, or draws
 * what users chose from, learns off-policy with the conservative term, and ends when the figures of a held-out part, the
 * last of the log's time, rise no more. It has the weights of the best pass then, and knows all that the log has happen.
 *
 * With options it makes a recommender that fits what the log has: where nobody measures watching, a click is the reward,
 * and nothing waits for watches. Options that are given stand. A recommender that is given is taught in one pass, with the
 * options that it has.
 *
 * @param log - Events in order of time: an array or a function that opens them, so that they can be read again, which the
 *   held-out share, more than one pass, `folds` and `draw` of users need; or any other iterable, which is read once.
 * @returns What was learned; `cause` says why nothing was.
 * @throws TypeError or RangeError for an option that is unknown, out of its range, or needs a log that can be read
 *   again; what the log throws; the signal's reason.
 */
export async function learnFromLog(
  recommender: Recommender | Partial<RecommenderOptions>,
  log: LogSource<LiveEvent>,
  options: Partial<LearnFromLogOptions> = {},
): Promise<LearnedFromLog> {
  const { decisions } = options;
  const canRepeat = isRepeatable(log) && (decisions === undefined || isRepeatable(decisions));
  const isMade = !(recommender instanceof Recommender);
  const checked = checkedLearning(options, canRepeat, isMade);
  // Faults of its options are told before hours of reading.
  new LogCompleter(() => {}, checked.log);
  let { from } = checked;
  if (from === undefined && checked.validation > 0) {
    const [first, last] = await spanOf(log, checked.signal);
    from = last > first ? last - checked.validation * (last - first) : undefined;
  }
  const folds: Validation[] = [];
  for (let fold = 0; fold < checked.folds && from !== undefined; fold++) {
    const run = new Run(recommender, log, checked, from, fold);
    const { judge, recommender: made } = await learned(
      run,
      checked,
      checked.draw === "users" ? await sharesOf(run) : undefined,
    );
    if (judge !== undefined) folds.push(judge.result());
    made.dispose();
  }
  const run = new Run(recommender, log, checked, from ?? Infinity);
  const fitted = await learned(run, checked, checked.draw === "users" ? await sharesOf(run) : undefined);
  return { ...toldOf(run, fitted), from, folds };
}

function toldOf(run: Run, { judge, ...learned }: Fitted): Omit<LearnedFromLog, "from" | "folds"> {
  const { teacher } = run;
  const { counts, contents, decisions } = run.opened!;
  const stats = learned.recommender.stats();
  const validation = judge?.result();
  return {
    ...learned,
    ...{ events: counts.events, decisions, counts, contents },
    ...{ stats, transitions: stats.transitions, updates: stats.updates },
    validation: validation && validation.cases > 0 ? validation : undefined,
    ...{ refused: teacher!.refused, example: teacher!.example, cause: whyUntrained(run.opened!, teacher!) },
  };
}
