import { type Baseline, POLICIES } from "../../baselines/index.js";
import {
  isEvent,
  type LogEntry,
  LogReplay,
  LogTeacher,
  logSettings,
  OpenedLog,
  type RankingPolicy,
  type TimedEntry,
  timed,
} from "../../evaluation/index.js";
import type { LiveEvent } from "../../protocol/index.js";
import { Recommender } from "../../recommender/index.js";
import type { Judged, LogFiles, LogTask } from "../jobs/tasks.js";
import { Inputs, openEvents, readDecisions } from "../reading/input.js";
import { recommenderOptions } from "../reading/options.js";

/** Updates for each transition, as `liveq train` does. */
const UPDATES = 2;
/** Entries between two reports of progress. */
const REPORT = 4096;

/** A log, complete: each decision at its place, with the time there. */
async function openLog({ decisions }: LogFiles, inputs: Inputs, signal: AbortSignal): Promise<OpenedLog> {
  return new OpenedLog(await openEvents(inputs), decisions && readDecisions(new Inputs(decisions, signal)));
}

/** The entries of a log, each decision at its place, with the time there. */
export async function* entriesOf(
  files: LogFiles,
  signal: AbortSignal,
  onFraction: (share: number) => void = () => {},
  onOpened: (log: OpenedLog) => void = () => {},
): AsyncGenerator<TimedEntry<LogEntry>, void, undefined> {
  const inputs = new Inputs(files.events, signal);
  const log = await openLog(files, inputs, signal);
  onOpened(log);
  let count = 0;
  for await (const entry of timed(log.entries())) {
    if (count++ % REPORT === 0) onFraction(inputs.fraction ?? 0);
    yield entry;
  }
}

/** Fits a recommender to a log, and ranks at each click of the later time. */
export async function fitLog(task: LogTask, onProgress: (share: number) => void): Promise<Judged> {
  const { who, seed, k, cuts } = task;
  const [learn, from, until] = cuts;
  let log: OpenedLog | undefined;
  // The options fit what the log has, so that there is no recommender before its first entry.
  let teacher: LogTeacher | undefined;
  const recommender = () => {
    const given = () => ({
      updatesPerTrain: UPDATES,
      ...recommenderOptions(who as Exclude<typeof who, "popular">),
      seed,
    });
    // Decisions from before `learn` only make the state.
    teacher ??= new LogTeacher(new Recommender(logSettings(log!.contents, given())));
    return teacher.recommender;
  };
  const policy: RankingPolicy =
    who === "popular"
      ? (POLICIES.popular.create(seed) as Baseline)
      : {
          name: "trial",
          recommend: (request) => recommender().recommend(request),
          rank: (request) => recommender().rank(request),
          // The earlier ones it got at once, each decision at its place.
          feedback: (event: LiveEvent) => (event.time >= from ? recommender().feedback(event, event.time) : undefined),
        };
  const replay = new LogReplay(policy, { from, until, k, log: false });
  const { lookMs } = replay.options;
  const opened = (one: OpenedLog) => {
    log = one;
  };
  for await (const one of entriesOf(task, new AbortController().signal, onProgress, opened)) {
    const { entry } = one;
    if (entry.time >= until + lookMs) break;
    if (who !== "popular" && entry.time < from) {
      recommender();
      if (isEvent(entry) || entry.time >= learn) teacher!.teach(one);
    }
    if (isEvent(entry)) replay.feed(entry);
  }
  const { tally } = replay.result({ resamples: 1 });
  const updates = teacher?.recommender.stats().updates;
  teacher?.recommender.dispose();
  return { sums: tally.sums(`ndcg_at_${k}`), ...(updates !== undefined && { updates }) };
}
