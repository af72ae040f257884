import { existsSync } from "node:fs";
import { emptyQualityReport, type QualityReport, readJsonl } from "../../../logs/index.js";
import { tail } from "../../../node/index.js";
import { EventError, type LiveEvent } from "../../../protocol/index.js";
import {
  content,
  defaultFeatures,
  type FeatureGroup,
  Recommender,
  type RecommenderOptions,
} from "../../../recommender/index.js";
import { UserShares } from "../../../recommender/learning/index.js";
import { UsageError } from "../../reading/arguments.js";
import { consume, Inputs, openEvents, readDecisions, requireOneStdin, until } from "../../reading/input.js";
import { isEvent, merged, reconstructed, type Timed, timed } from "../../reading/log.js";
import { loadRecommender } from "../../reading/model.js";
import { readRecommenderOptions } from "../../reading/options.js";
import { print, STANDARD, takeModel, titleOf, tryOutputs, writeFile, writeMeanwhile } from "../../writing/output.js";
import { Progress } from "../../writing/progress.js";
import { type Row, writeRows } from "../../writing/results.js";
import { table } from "../../writing/table.js";
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
  /** File with options of the recommender, which win over the others. */
  options?: string;
  resume: boolean;
  /** Whether to keep reading a growing log. */
  follow: boolean;
  /** Seconds. */
  saveEvery?: number;
  json?: string;
}

/** Updates for each transition and epoch, as a recommender that serves does. */
const UPDATES = 2;
/** Seconds between two saves of a model that follows a log. Set by hand. */
const SAVE_EVERY = 300;
/** Time limit after Ctrl-C to read the remaining entries of the same timestamp. Set by hand. */
const GRACE_MS = 1000;

/** The log's events, with each decision at its place. */
async function entriesOf(events: Inputs, decisions: Inputs | undefined, tailed?: AsyncIterable<LiveEvent>) {
  const read = tailed ?? (await openEvents(events));
  return decisions === undefined ? reconstructed(read) : merged(read, readDecisions(decisions));
}

/** The events of a growing log. It counts torn lines, as one must not end a run of weeks. */
function followed({ names: [name] }: Inputs, stop: AbortSignal, report: QualityReport): AsyncIterable<LiveEvent> {
  return readJsonl(tail(name!, { signal: stop }), { name: name!, onError: "skip", report });
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

/** Entries of a log that were not learned from: their times are wrong, or another event came under their id. */
class Refusals {
  #count = 0;
  #example = "";

  /** Feeds an entry to a recommender. */
  teach(recommender: Recommender, { entry, now }: Timed, shares: UserShares | undefined): void {
    if (isEvent(entry)) {
      const receipt = recommender.feedback(entry, now);
      if (receipt === "late")
        this.#add(`${entry.kind} at ${entry.time}: "time" is more than a day before the entries around it`);
      else if (receipt instanceof EventError) this.#add(`${entry.kind} at ${entry.time}: ${receipt.message}`);
      return;
    }
    const { maxAheadMs, maxLateMs } = recommender.options;
    const isNear = entry.time <= now + maxAheadMs && now - entry.time <= maxLateMs;
    if (isNear) recommender.recordDecision(entry, shares?.times(entry));
    else this.#add(`decision ${JSON.stringify(entry.id)} at ${entry.time}: far from the entries around it`);
  }

  tell(): void {
    if (this.#count === 0) return;
    const how = "liveq prepare puts a log in order";
    process.stderr.write(`${this.#count} entries not learned from, such as ${this.#example}; ${how}\n`);
  }

  #add(example: string): void {
    this.#count++;
    this.#example ||= example;
  }
}

/** The default groups of features, with word vectors if given. */
function featuresOf({ words }: LearnOptions): FeatureGroup[] {
  const groups = defaultFeatures();
  if (words === undefined) return groups;
  return [...groups.filter(({ name }) => name !== "content"), content({ words: loadWords(words) })];
}

/** What is learned beside the values: the logging policy's choices. */
function learnerOf({ cqlAlpha = 0, cloneUpdates = 0 }: LearnOptions): RecommenderOptions["learner"] {
  return { ...(cqlAlpha > 0 && { cqlAlpha }), ...(cloneUpdates > 0 && { clone: { updates: cloneUpdates } }) };
}

/** Reads the log once to count each user's transitions; undefined if the signal ended that. */
async function sharesOf(
  { options }: Recommender,
  { events, decisions, seed }: LearnOptions,
  signal: AbortSignal,
): Promise<UserShares | undefined> {
  const shares = new UserShares(seed, options.pending);
  const inputs = new Inputs(events, signal);
  const entries = await entriesOf(inputs, decisions && new Inputs(decisions, signal));
  await consume(inputs, timed(entries), ({ entry, now }) => shares.count(entry, now), signal, "counted");
  if (signal.aborted) return undefined;
  const { transitions, users } = shares.counted;
  process.stderr.write(`${transitions} transitions of ${users} users, all with equal weight\n`);
  return shares;
}

/** @throws UsageError for options that do not go together. */
function requireUsable({ model, events, decisions, draw, resume, follow, saveEvery }: LearnOptions): void {
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
 * Trains a recommender from another policy's log, and writes it. Returns false if the signal ended it
 * early: it writes the recommender all the same, and `resume` continues as if it had never stopped.
 */
export async function learn(options: LearnOptions, signal: AbortSignal): Promise<boolean> {
  requireUsable(options);
  const { model, gamma, epochs, seed, draw, resume, follow } = options;
  tryOutputs(options.json);
  const lock = takeModel(model);
  const recommender = resume
    ? loadRecommender(model)
    : new Recommender({
        ...{ seed, gamma, updatesPerTrain: UPDATES * epochs, features: featuresOf(options) },
        learner: learnerOf(options),
        ...(options.options !== undefined && readRecommenderOptions(options.options)),
      });
  if (resume) requireSame(recommender, options);
  const shares = draw === "users" ? await sharesOf(recommender, options, signal) : undefined;
  if (draw === "users" && shares === undefined) {
    // Nothing was learned: a resumed model's file stays as it was.
    recommender.dispose();
    return false;
  }
  // The file was written between two timestamps: every later entry is new.
  const had = resume ? recommender.time : -1;
  const stop = stopAfter(signal);
  const events = new Inputs(options.events, stop);
  const decisions = options.decisions && new Inputs(options.decisions, stop);
  if (follow) requireFollowable(events, options);
  const progress = new Progress("events");
  const saving = new Saving(options, progress);
  const unread = emptyQualityReport();
  const tailed = follow ? followed(events, stop, unread) : undefined;
  const refusals = new Refusals();
  let [taken, skipped] = [0, 0];
  const log = timed(await entriesOf(events, decisions, tailed), Math.max(had, 0), follow ? Date.now : undefined);
  for await (const one of until(stop, log)) {
    if (one.entry.time <= had) {
      skipped++;
      continue;
    }
    // All entries of a timestamp or none, so that a run can continue from the file.
    if (one.now > recommender.time) {
      if (signal.aborted) break;
      await saving.offer(recommender);
    }
    refusals.teach(recommender, one, shares);
    taken++;
    const fraction = follow ? undefined : events.fraction;
    progress.show({ count: taken, fraction, text: () => stateOf(recommender) });
  }
  progress.end();
  await saving.settle();
  writeFile(model, recommender.saveChunks());
  lock.release();
  refusals.tell();
  if (unread.dropped > 0) process.stderr.write(`${unread.dropped} lines not read, such as ${unread.examples[0]}\n`);
  const went = resume ? `; ${skipped} known entries skipped` : "";
  process.stderr.write(
    `${titleOf(model)} written: ${taken} events and decisions in ${progress.seconds.toFixed(1)} s${went}\n`,
  );
  report(recommender, options);
  recommender.dispose();
  return !signal.aborted;
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

function stateOf(recommender: Recommender): string {
  const { updates, loss } = recommender.stats();
  const { qMean } = recommender.agentStats()!;
  return updates === 0 ? "0 updates" : `${updates} updates, loss ${loss.toFixed(4)}, mean Q ${qMean.toFixed(2)}`;
}

/** Prints the figures of a training. */
function report(recommender: Recommender, { gamma, seed, json, model }: LearnOptions): void {
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
  writeRows(
    json,
    known.map(([, metric, value, unit]): Row => ({ ...common, metric, value, unit })),
  );
}
