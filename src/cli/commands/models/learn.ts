import { existsSync } from "node:fs";
import {
  type CompleteLogOptions,
  type LogContents,
  LogTeacher,
  LogTrial,
  logSettings,
  OpenedLog,
  type TimedEntry,
  timed,
  whyUntrained,
} from "../../../evaluation/index.js";
import { emptyQualityReport, type QualityReport } from "../../../logs/index.js";
import { tail } from "../../../node/index.js";
import type { LiveEvent, LoggedDecision } from "../../../protocol/index.js";
import { content, type FeatureGroup, Recommender, type RecommenderOptions } from "../../../recommender/index.js";
import { UserShares } from "../../../recommender/learning/index.js";
import { UsageError } from "../../reading/arguments.js";
import { consume, Inputs, openEvents, readDecisions, requireOneStdin, until } from "../../reading/input.js";
import { followedEvents } from "../../reading/mapping.js";
import { openRecommender } from "../../reading/model.js";
import { readRecommenderOptions } from "../../reading/options.js";
import { type LookedThrough, lookThrough } from "../../reading/order.js";
import { Progress } from "../../reports/index.js";
import { ValuingTeacher } from "../../verdicts/index.js";
import { Curve } from "../../writing/curve.js";
import { print, STANDARD, takeModel, titleOf, tryOutputs, writeFile, writeMeanwhile } from "../../writing/output.js";
import { noteCalibration, type Row, writeRows } from "../../writing/results.js";
import { table } from "../../writing/table.js";
import { tellJudged } from "./judged.js";
import { loadWords } from "./words.js";

/** Whose weight in learning is equal: each user's, or each event's. */
export const DRAWS = ["users", "events"] as const;
export type Draw = (typeof DRAWS)[number];

export interface LearnOptions {
  events: string[];
  decisions?: string[];
  model: string;
  gamma: number;
  /** Default 0. */
  cqlAlpha?: number;
  cloneUpdates?: number;
  epochs: number;
  seed: number;
  draw: Draw;
  words?: string;
  /** Whether streams never go off air. Default false. */
  catalogue?: boolean;
  /** Streams drawn for each visit, in a log without impressions. Default 8. */
  negatives?: number;
  /** File with options of the recommender, which win over the others. */
  options?: string;
  resume: boolean;
  /** Whether to keep reading a growing log. */
  follow: boolean;
  /** Seconds. */
  saveEvery?: number;
  json?: string;
  report?: string;
}

/** Updates for each transition and epoch, as a recommender that serves does. */
const UPDATES = 2;
/** Share of the log's time at its end whose visits are ranked before they are learned from. Set by hand. */
const JUDGED = 0.1;
/** Share of it at whose decisions a report compares values with returns, which take time to come. Set by hand. */
const VALUED = 0.5;
/** Seconds between two saves of a model that follows a log. Set by hand. */
const SAVE_EVERY = 300;
/** Time limit after Ctrl-C to read the remaining entries of the same timestamp. Set by hand. */
const GRACE_MS = 1000;
/** Entries between two points of the curve. */
const POINT = 256;

/** How the log is completed. */
export function completionOf({ catalogue, negatives, seed }: LearnOptions): Partial<CompleteLogOptions> {
  return { seed, ...(catalogue && { onAir: "catalogue" }), ...(negatives !== undefined && { negatives }) };
}

/** The log, complete: with each decision at its place. */
async function openLog(
  options: LearnOptions,
  events: Inputs,
  decisions: Inputs | undefined,
  { open }: Pick<LookedThrough, "open">,
): Promise<OpenedLog> {
  return new OpenedLog(await open(events), decisions && readDecisions(decisions), completionOf(options));
}

/** The events of a growing log. It counts torn lines, as one must not end a run of weeks. */
function followed({ names: [name] }: Inputs, stop: AbortSignal, report: QualityReport): AsyncIterable<LiveEvent> {
  return followedEvents(tail(name!, { signal: stop }), { name: name!, onError: "skip", report });
}

/** @throws UsageError for inputs that cannot be followed. */
function requireFollowable({ names, total }: Inputs, { decisions }: LearnOptions): void {
  const isOne = names.length === 1 && total !== undefined;
  if (!isOne) throw new UsageError(`"--follow" needs one file of "--events", got ${names.join(", ")}`);
  if (decisions !== undefined) throw new UsageError('"--follow" takes decisions from impressions, not "--decisions"');
}

/** A signal that aborts a while after another, to complete a timestamp even from a pipe that stays silent. */
function stopAfter(signal: AbortSignal): AbortSignal {
  const stop = new AbortController();
  const later = () => setTimeout(() => stop.abort(signal.reason), GRACE_MS).unref();
  signal.addEventListener("abort", later, { once: true });
  return stop.signal;
}

/** Prints what was not learned from. */
export function tellRefused({ refused, example }: Pick<LogTeacher, "refused" | "example">): void {
  if (refused === 0) return;
  const how = "liveq prepare puts a log in order";
  process.stderr.write(`${refused} entries not learned from, such as ${example}; ${how}\n`);
}

/** The groups of features for a log, with word vectors if given. */
function withWords(groups: readonly FeatureGroup[], { words }: LearnOptions): FeatureGroup[] {
  if (words === undefined) return [...groups];
  return [...groups.filter(({ name }) => name !== "content"), content({ words: loadWords(words) })];
}

/** What is learned beside the values: the logging policy's choices. */
function learnerOf({ cqlAlpha, cloneUpdates = 0 }: LearnOptions): RecommenderOptions["learner"] {
  return { ...(cqlAlpha !== undefined && { cqlAlpha }), ...(cloneUpdates > 0 && { clone: { updates: cloneUpdates } }) };
}

/** The options of a new recommender that are given. */
export function givenSettings(options: LearnOptions): Partial<RecommenderOptions> {
  const { seed, gamma, epochs } = options;
  return {
    ...{ seed, gamma, updatesPerTrain: UPDATES * epochs, learner: learnerOf(options) },
    ...(options.options !== undefined && readRecommenderOptions(options.options)),
  };
}

/** The options of a new recommender, that fit what the log has. */
export function settingsFor(options: LearnOptions, contents: LogContents): Partial<RecommenderOptions> {
  const { features = [], ...settings } = logSettings(contents, givenSettings(options));
  return { ...settings, features: withWords(features, options) };
}

/** Reads the log once to count each user's transitions; undefined if the signal ended that. */
async function sharesOf(
  resumed: Recommender | undefined,
  options: LearnOptions,
  looked: LookedThrough,
  signal: AbortSignal,
): Promise<UserShares | undefined> {
  const { events, decisions, seed } = options;
  const inputs = new Inputs(events, signal);
  const log = await openLog(options, inputs, decisions && new Inputs(decisions, signal), looked);
  let shares: UserShares | undefined;
  const count = ({ entry, now }: TimedEntry) => {
    shares ??= new UserShares(seed, (resumed?.options ?? settingsFor(options, log.contents)).pending);
    shares.count(entry, now);
  };
  await consume(inputs, timed(log.entries()), count, signal, "counted");
  if (signal.aborted) return undefined;
  shares ??= new UserShares(seed);
  const { transitions, users } = shares.counted;
  process.stderr.write(`${transitions} transitions of ${users} users, all with equal weight\n`);
  return shares;
}

/** @throws UsageError for options that do not go together. */
export function requireUsable({ model, events, decisions, draw, resume, follow, saveEvery }: LearnOptions): void {
  if (model === STANDARD && (resume || follow || saveEvery !== undefined)) {
    throw new UsageError('"--resume", "--follow" and "--save-every" need a file as "--model", got -');
  }
  if (resume && !existsSync(model)) {
    throw new UsageError(`"--resume" needs the file of "--model", ${model}, to continue from`);
  }
  if (draw === "users" && follow) {
    throw new UsageError('"--draw users" reads the whole log first, but with "--follow" it has no end');
  }
  if (draw === "users" && [...events, ...(decisions ?? [])].includes(STANDARD)) {
    throw new UsageError('"--draw users" reads the log twice: it needs files, got -');
  }
  requireOneStdin(events, decisions);
}

/**
 * Trains a recommender from the log of another policy, or of none, and writes it. Returns false if the signal ended it
 * early: it writes the recommender all the same, and `resume` continues as if it had never stopped.
 *
 * @throws Error with cause and remedy where the log taught nothing: a file of the model stays as it was.
 */
export async function learn(options: LearnOptions, signal: AbortSignal): Promise<boolean> {
  requireUsable(options);
  const { model, draw, resume, follow } = options;
  tryOutputs(options.json);
  const lock = takeModel(model);
  const resumed = resume ? await openRecommender(model) : undefined;
  if (resumed) requireSame(resumed, options);
  const stop = stopAfter(signal);
  const events = new Inputs(options.events, stop);
  const looked = follow || !events.isAgain ? undefined : await lookThrough(options.events, signal);
  const shares = looked && draw === "users" ? await sharesOf(resumed, options, looked, signal) : undefined;
  if (signal.aborted) {
    // Nothing was learned: a resumed model's file stays as it was.
    resumed?.dispose();
    return false;
  }
  // The file was written between two timestamps: every later entry is new.
  const had = resumed?.time ?? -1;
  const decisions = options.decisions && new Inputs(options.decisions, stop);
  if (follow) requireFollowable(events, options);
  const progress = new Progress("events");
  const curve = new Curve("loss", "updates");
  const saving = new Saving(options, progress);
  const unread = emptyQualityReport();
  const tailed = { open: () => Promise.resolve(followed(events, stop, unread)) };
  const opened = await openLog(options, events, decisions, follow ? tailed : (looked ?? { open: openEvents }));
  const teach = () => {
    const recommender = resumed ?? new Recommender(settingsFor(options, opened.contents));
    const times = shares && ((decision: LoggedDecision) => shares.times(decision));
    const valued = options.report === undefined ? undefined : beforeEnd(VALUED);
    return valued === undefined ? new LogTeacher(recommender, times) : new ValuingTeacher(recommender, valued, times);
  };
  const beforeEnd = (share: number) => looked && Math.max(looked.last - share * (looked.last - looked.first), had + 1);
  const from = beforeEnd(JUDGED);
  let teacher: LogTeacher | undefined;
  let trial: LogTrial | undefined;
  let [taken, skipped] = [0, 0];
  const log = timed(opened.entries(), Math.max(had, 0), follow ? Date.now : undefined);
  for await (const one of until(stop, log)) {
    teacher ??= teach();
    trial ??= new LogTrial(teacher, from);
    const { recommender } = teacher;
    if (one.entry.time <= had) {
      trial.skip(one);
      skipped++;
      continue;
    }
    // All entries of a timestamp or none, so that a run can continue from the file.
    if (one.now > recommender.time) {
      if (signal.aborted) break;
      await saving.offer(recommender);
    }
    trial.teach(one);
    taken++;
    const fraction = follow ? undefined : events.fraction;
    if (taken % POINT === 0) noteLoss(curve, recommender);
    progress.show({ count: taken, fraction, text: () => `${stateOf(recommender)} ${curve.picture}` });
  }
  progress.end();
  curve.note();
  await saving.settle();
  teacher ??= teach();
  const { recommender } = teacher;
  // What an interrupted trial still holds is learned when the run goes on.
  const validation = signal.aborted ? undefined : trial?.end();
  if (!signal.aborted && teacher instanceof ValuingTeacher) noteCalibration(teacher.calibration());
  if (unread.dropped > 0) process.stderr.write(`${unread.dropped} lines not read, such as ${unread.examples[0]}\n`);
  tellRefused(teacher);
  const cause = signal.aborted ? undefined : whyUntrained(opened, teacher);
  if (cause !== undefined) {
    lock.release();
    recommender.dispose();
    throw new Error(`${events.title} taught nothing: ${cause}; ${titleOf(model)} was not written`);
  }
  writeFile(model, recommender.saveChunks());
  lock.release();
  const went = resume ? `; ${skipped} known entries skipped` : "";
  process.stderr.write(
    `${titleOf(model)} written: ${taken} events and decisions in ${progress.seconds.toFixed(1)} s${went}\n`,
  );
  tellCompleted(opened);
  const how = "visits in the last tenth of the time, each ranked before it was learned from";
  report(recommender, options, () => {
    if (signal.aborted) return [];
    if (looked !== undefined) return tellJudged(validation, recommender, { part: "last-tenth", how }, options);
    const why = `Whether it beats most popular was not measured, as the log ${follow ? "has no end" : "was read only once"}`;
    process.stderr.write(`${why}: "liveq evaluate" says so of a later one.\n`);
    return [];
  });
  recommender.dispose();
  return !signal.aborted;
}

/** Prints what the log lacked, and what stands in for it. */
export function tellCompleted({ contents, counts }: Pick<OpenedLog, "contents" | "counts">): void {
  const { onAir, slates, gapMs } = contents;
  if (onAir !== "events") {
    const until = onAir === "catalogue" ? "for good" : `until ${Math.round(gapMs! / 60_000)} minutes without a sign`;
    process.stderr.write(
      `no on_air events: ${counts.inferred} streams on air from the first sign of a user, ${until}\n`,
    );
  }
  if (slates === "drawn") {
    const { drawn, unplaced } = counts;
    process.stderr.write(
      `no impressions: ${drawn} visits compared with streams drawn from those on air, ${unplaced} left out\n`,
    );
  }
}

/** Writes a model at intervals, so that a crash loses little. Learning goes on while it is written. */
class Saving {
  readonly #file: string;
  readonly #every: number;
  readonly #progress: Progress;
  #last = 0;
  #running: Promise<void> | undefined;
  #failure: unknown;

  constructor({ model, follow, saveEvery = follow ? SAVE_EVERY : Infinity }: LearnOptions, progress: Progress) {
    this.#file = model;
    this.#every = saveEvery;
    this.#progress = progress;
  }

  /**
   * Begins to write it where that is due. Requires that all entries of the last timestamp were learned from.
   * @throws Error of an earlier one that failed, or where one takes longer than the interval, after it.
   */
  async offer(recommender: Recommender): Promise<void> {
    if (this.#progress.seconds - this.#last < this.#every) return;
    await this.settle();
    this.#last = this.#progress.seconds;
    const running = writeMeanwhile(this.#file, recommender.saveChunks());
    this.#running = running.catch((error) => {
      this.#failure = error;
    });
  }

  /** Waits until nothing is being written. @throws Error of a save that failed. */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** @throws UsageError if the options in the model's file differ. */
function requireSame({ options }: Recommender, { gamma, epochs, seed, cqlAlpha, cloneUpdates }: LearnOptions): void {
  const { cqlAlpha: alpha = 0, clone } = options.learner;
  const kept = {
    ...{ gamma: options.gamma, epochs: options.updatesPerTrain / UPDATES, seed: options.seed },
    ...{ "cql-alpha": alpha, "clone-updates": clone?.updates ?? 0 },
  };
  const given = { gamma, epochs, seed, "cql-alpha": cqlAlpha, "clone-updates": cloneUpdates };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const its = kept[name as keyof typeof kept];
    if (value !== its) throw new UsageError(`"--${name}" must be as in the resumed model, ${its}, got ${value}`);
  }
}

export function stateOf(recommender: Recommender): string {
  const { updates, loss } = recommender.stats();
  const { qMean } = recommender.agentStats()!;
  return updates === 0 ? "0 updates" : `${updates} updates, loss ${loss.toFixed(4)}, mean Q ${qMean.toFixed(2)}`;
}

function noteLoss(curve: Curve, recommender: Recommender): void {
  const { updates, loss } = recommender.stats();
  curve.add(updates, loss);
}

/** Prints the figures of a training; `more` then prints others, and returns their rows. */
export function report(
  recommender: Recommender,
  { gamma, seed, json, model }: Pick<LearnOptions, "gamma" | "seed" | "json" | "model">,
  more: () => readonly Row[],
): void {
  const stats = recommender.stats();
  const { lossMean, qMean } = recommender.agentStats()!;
  const { first, overlap, chance, rankCorrelation } = recommender.agreement();
  const figures: [string, string, number, string][] = [
    ["transitions", "transitions", stats.transitions, "1"],
    ["updates", "updates", stats.updates, "1"],
    ["loss, mean of the latest updates", "loss", lossMean, "reward^2"],
    ["mean Q of the last batch", "q_mean", qMean, "reward"],
    ["agreement with the log on the first stream", "agreement_at_1", first, "share"],
    ["agreement on the slate", "agreement_of_slates", overlap, "share"],
    ["agreement on the slate by chance", "agreement_by_chance", chance, "share"],
    ["rank correlation with the log's slates", "rank_correlation", rankCorrelation, "1"],
    ["decisions still open", "pending", stats.pending, "1"],
    ["users", "users", stats.users, "1"],
    ["streams on air", "on_air", stats.onAir, "1"],
    ["events on unknown streams", "unknown_streams", stats.unknownStreams, "1"],
    ["events on unknown decisions", "unknown_decisions", stats.unknownDecisions, "1"],
    ["events too late to be learned", "late", stats.late, "1"],
  ];
  const lines = figures.map(([title, , value]) => [title, Number.isInteger(value) ? String(value) : value.toFixed(4)]);
  print(`${table(["trained", ""], lines)}\n`, json, model);
  const { warmupUpdates } = recommender.options;
  if (stats.updates < warmupUpdates) {
    process.stderr.write(`fewer than ${warmupUpdates} updates: until then it recommends the most watched streams\n`);
  }
  const common = { suite: "recommender", case: `train/gamma-${gamma}`, seeds: [seed] };
  const known = figures.filter(([, , value]) => Number.isFinite(value));
  writeRows(json, [...known.map(([, metric, value, unit]): Row => ({ ...common, metric, value, unit })), ...more()]);
}
