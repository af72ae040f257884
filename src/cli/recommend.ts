import { topK } from "../recommender/evaluation/ranking.js";
import { readModel } from "./model.js";
import { table } from "./table.js";

export interface RecommendOptions {
  model: string;
  user: string;
  k: number;
  json: boolean;
}

/** Prints the k items that a user has not had and that the model values most. */
export function recommend({ model: file, user, k, json }: RecommendOptions): void {
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
