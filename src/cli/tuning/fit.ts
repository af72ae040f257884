import { type Baseline, POLICIES } from "../../baselines/index.js";
import { LogReplay, type RankingPolicy } from "../../evaluation/index.js";
import type { LiveEvent } from "../../protocol/index.js";
import { Recommender } from "../../recommender/index.js";
import type { Judged, LogFiles, LogTask } from "../jobs/tasks.js";
import { Inputs, openEvents, readDecisions } from "../reading/input.js";
import { type Entry, isEvent, merged, reconstructed, type Timed, timed } from "../reading/log.js";
import { recommenderOptions } from "../reading/options.js";

/** Updates for each transition, as `liveq train` does. */
const UPDATES = 2;
/** Entries between two reports of progress. */
const REPORT = 4096;

/** The entries of a log, each decision at its place, with the time there. */
export async function* entriesOf(
  { events, decisions }: LogFiles,
  signal: AbortSignal,
  onFraction: (share: number) => void = () => {},
): AsyncGenerator<Timed<Entry>, void, undefined> {
  const inputs = new Inputs(events, signal);
  const read = await openEvents(inputs);
  const entries = decisions ? merged(read, readDecisions(new Inputs(decisions, signal))) : reconstructed(read);
  let count = 0;
  for await (const entry of timed(entries)) {
    if (count++ % REPORT === 0) onFraction(inputs.fraction ?? 0);
    yield entry;
  }
}

/** Teaches an entry of the time before the cases; decisions from before `learn` only make the state. */
function teach(recommender: Recommender, { entry, now }: Timed<Entry>, learn: number): void {
  if (isEvent(entry)) recommender.feedback(entry, now);
  else if (entry.time >= learn) {
    const { maxAheadMs, maxLateMs } = recommender.options;
    if (entry.time <= now + maxAheadMs && now - entry.time <= maxLateMs) recommender.recordDecision(entry);
  }
}

/** Fits a recommender to a log, and ranks at each click of the later time. */
export async function fitLog(task: LogTask, onProgress: (share: number) => void): Promise<Judged> {
  const { who, seed, k, cuts } = task;
  const [learn, from, until] = cuts;
  const recommender =
    who === "popular" ? undefined : new Recommender({ updatesPerTrain: UPDATES, ...recommenderOptions(who), seed });
  const policy: RankingPolicy = recommender
    ? {
        name: "trial",
        recommend: (request) => recommender.recommend(request),
        rank: (request) => recommender.rank(request),
        // The earlier ones it got at once, each decision at its place.
        feedback: (event: LiveEvent) => (event.time >= from ? recommender.feedback(event, event.time) : undefined),
      }
    : (POLICIES.popular.create(seed) as Baseline);
  const replay = new LogReplay(policy, { from, until, k });
  const { lookMs } = replay.options;
  for await (const one of entriesOf(task, new AbortController().signal, onProgress)) {
    const { entry } = one;
    if (entry.time >= until + lookMs) break;
    if (recommender && entry.time < from) teach(recommender, one, learn);
    if (isEvent(entry)) replay.feed(entry);
  }
  const { tally } = replay.result({ resamples: 1 });
  const updates = recommender?.stats().updates;
  recommender?.dispose();
  return { sums: tally.sums(`ndcg_at_${k}`), ...(updates !== undefined && { updates }) };
}
