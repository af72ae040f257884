import { isEvent, timed } from "../../../evaluation/index.js";
import { type Decision, type Explanation, explanationLines } from "../../../recommender/index.js";
import { topK } from "../../../statistics/index.js";
import { UsageError } from "../../reading/arguments.js";
import { kindOf } from "../../reading/files.js";
import { Inputs, openEvents, until } from "../../reading/input.js";
import { openRecommender, readModel } from "../../reading/model.js";
import { table } from "../../writing/table.js";

/** Groups of features listed for a stream. */
const STRONGEST = 3;

export interface RecommendOptions {
  model: string;
  user: string;
  k: number;
  now?: number;
  events: string[];
  explain: boolean;
  json: boolean;
}

/** Prints a model's recommendations for a user: streams on air from a live recommender, items from a ranker. */
export async function recommend(options: RecommendOptions, signal: AbortSignal): Promise<void> {
  if (kindOf(options.model) === "recommender") {
    await recommendStreams(options, signal);
    return;
  }
  if (options.now !== undefined || options.events.length > 0) {
    throw new UsageError('"--now" and "--events" are for live recommenders: a MovieLens ranker has no time');
  }
  if (options.explain) throw new UsageError('"--explain" is for live recommenders');
  recommendItems(options);
}

/** Prints a live recommender's slate for any user. The file does not change. */
async function recommendStreams(
  { model, user, k, now, events, explain, json }: RecommendOptions,
  signal: AbortSignal,
): Promise<void> {
  const recommender = await openRecommender(model);
  if (events.length > 0) {
    const log = timed(await openEvents(new Inputs(events, signal)), recommender.time);
    for await (const { entry, now } of until(signal, log)) if (isEvent(entry)) recommender.feedback(entry, now);
    signal.throwIfAborted();
  }
  const decision = recommender.recommend({ user, now: now ?? recommender.time, k, explain });
  recommender.dispose();
  const { slate, scores, propensities } = decision;
  const list = slate.map((stream, i) => ({ stream, score: scores[i]!, propensity: propensities[i]! }));
  if (list.length === 0 && !json) process.stderr.write("nothing is on air\n");
  if (explain) printExplained(list, decision, json);
  else printList(list, ["stream", "score", "propensity"], json);
}

type Listed = { stream: string; score: number; propensity: number };

/** Prints a slate with its explanations and runners-up, as JSON, or as tables and sentences. */
function printExplained(list: readonly Listed[], { explanations = [], runnersUp = [] }: Decision, json: boolean): void {
  if (json) {
    const streams = list.map((listed, i) => ({ ...listed, explanation: explanations[i] }));
    process.stdout.write(`${JSON.stringify({ streams, runnersUp })}\n`);
    return;
  }
  const texts = [table(EXPLAINED, explanations.map(explainedCells))];
  for (const explanation of explanations) {
    const [first, ...others] = explanationLines(explanation);
    texts.push([`${explanation.stream}: ${first}`, ...others.map((line) => `  ${line}`)].join("\n"));
  }
  const next = runnersUp.map(({ stream, score, deficit, reason }) => {
    return [`     ${stream}`, score.toFixed(4), deficit.toFixed(4), reason];
  });
  if (next.length > 0) texts.push(table(["     not shown", "score", "lacks", "because of"], next));
  process.stdout.write(`${texts.join("\n\n")}\n`);
}

const EXPLAINED = [
  ...["  #  stream", "value", "now", "return", "above", "weight", "entered", "score", "propensity"],
  "strongest groups, in score",
];

/** A line of the table; - where the agent knows no such number. */
function explainedCells(explanation: Explanation): string[] {
  const { stream, position, value, choice, advantage, score, propensity, groups } = explanation;
  const number = (x: number | undefined) => (x === undefined ? "-" : x.toFixed(3));
  const effects = groups
    .slice(0, STRONGEST)
    .map((each) => `${each.group} ${each.score < 0 ? "" : "+"}${number(each.score)}`);
  return [
    `${String(position + 1).padStart(3)}  ${stream}`,
    ...[value.total, value.immediate, value.return, advantage, choice?.weight, choice?.chance, score].map(number),
    propensity.toFixed(4),
    effects.join(", ") || "-",
  ];
}

/** Prints the k best items that a user has not had. */
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
  printList(list, ["title", "score"], json);
}

/** Prints ranked items as JSON, or as a table of these fields: the first is text, the others are numbers. */
function printList<T extends object>(
  list: readonly T[],
  fields: [keyof T & string, ...(keyof T & string)[]],
  json: boolean,
) {
  if (json) {
    process.stdout.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const [first, ...others] = fields;
  const lines = list.map((item, i) => [
    `${String(i + 1).padStart(3)}  ${item[first]}`,
    ...others.map((field) => Number(item[field]).toFixed(4)),
  ]);
  process.stdout.write(`${table([`  #  ${first}`, ...others], lines)}\n`);
}
