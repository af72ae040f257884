import { topK } from "../../statistics/index.js";
import { UsageError } from "../reading/arguments.js";
import { kindOf } from "../reading/files.js";
import { Inputs, openEvents, until } from "../reading/input.js";
import { loadRecommender, readModel } from "../reading/model.js";
import { table } from "../writing/table.js";

export interface RecommendOptions {
  model: string;
  user: string;
  k: number;
  now?: number;
  events: string[];
  json: boolean;
}

/** Prints what a model recommends to a user: a live recommender streams on air, a ranker items. */
export async function recommend(options: RecommendOptions, signal: AbortSignal): Promise<void> {
  if (kindOf(options.model) === "recommender") {
    await recommendStreams(options, signal);
    return;
  }
  if (options.now !== undefined || options.events.length > 0) {
    throw new UsageError('"--now" and "--events" are for live recommenders: a ranker of MovieLens knows no moments');
  }
  recommendItems(options);
}

/** Prints a slate for any user, as the recommender would show it now. The file stays as it is. */
async function recommendStreams(
  { model, user, k, now, events, json }: RecommendOptions,
  signal: AbortSignal,
): Promise<void> {
  const recommender = loadRecommender(model);
  if (events.length > 0) {
    for await (const event of until(signal, await openEvents(new Inputs(events, signal)))) recommender.feedback(event);
    signal.throwIfAborted();
  }
  const { slate, scores, propensities } = recommender.recommend({ user, now: now ?? recommender.time, k });
  recommender.dispose();
  const list = slate.map((stream, i) => ({ stream, score: scores[i]!, propensity: propensities[i]! }));
  if (json) {
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  if (list.length === 0) process.stderr.write("nothing is on air\n");
  const lines = list.map(({ stream, score, propensity }, i) => {
    return [`${String(i + 1).padStart(3)}  ${stream}`, score.toFixed(4), propensity.toFixed(4)];
  });
  process.stdout.write(`${table(["  #  stream", "score", "propensity"], lines)}\n`);
}

/** Prints the k items that a user has not had and that the model values most. */
function recommendItems({ model: file, user, k, json }: RecommendOptions): void {
  const { ranker, users, titles } = readModel(file);
  const index = users.indexOf(user);
  if (index < 0) {
    const known = `the id of one of the ${users.length} users of the model (such as "${users[0]}")`;
    throw new Error(`"--user" must be ${known}, got ${JSON.stringify(user)}`);
  }
  const { train } = ranker;
  const had = new Set(train.item.filter((_, i) => train.user[i] === index));
  const unseen = Int32Array.from(titles.keys()).filter((item) => !had.has(item));
  const scores = new Float64Array(unseen.length);
  ranker.score(index, 0, unseen, scores);
  const chosen = topK(scores, k);
  const list = Array.from(chosen, (i) => ({ title: titles[unseen[i]!]!, score: scores[i]! }));
  if (json) {
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const lines = list.map(({ title, score }, i) => [`${String(i + 1).padStart(3)}  ${title}`, score.toFixed(4)]);
  process.stdout.write(`${table(["  #  title", "score"], lines)}\n`);
}
