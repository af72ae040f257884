import { saveFile } from "../node/index.js";
import { evaluateRanking, type Ranker, type RankingProtocol } from "../recommender/evaluation/ranking.js";
import { type Interactions, leaveLastOut } from "../recommender/evaluation/splits.js";
import { ItemKnn } from "../recommender/policies/itemknn.js";
import { ItemPop } from "../recommender/policies/itempop.js";
import { trainRanker } from "../recommender/ranker.js";
import { packModel } from "./model.js";
import { readMovieLens } from "./movielens.js";
import { Progress } from "./progress.js";
import { type Row, writeRows } from "./results.js";
import { table } from "./table.js";

export interface TrainOptions {
  movielens: string;
  model: string;
  epochs: number;
  seed: number;
  json?: string;
}

const K = 10;
const FULL: RankingProtocol = { kind: "full" };
const NEGATIVES = 99;
const TITLES: Record<string, string> = { itempop: "ItemPop", itemknn: "ItemKNN, cosine, 50", dqn: "DQN" };

/** Both protocols for one ranker: a line of the table, and its rows. */
function judge(ranker: Ranker, train: Interactions, test: Interactions, seed: number): { line: string[]; rows: Row[] } {
  const full = evaluateRanking(ranker, train, test, FULL, K);
  const sampled = evaluateRanking(ranker, train, test, { kind: "sampled", negatives: NEGATIVES, seed }, K);
  const figures: [string, number][] = [
    ["hr_at_10", full.hitRate],
    ["ndcg_at_10", full.ndcg],
    ["hr_at_10_sampled_99", sampled.hitRate],
    ["ndcg_at_10_sampled_99", sampled.ndcg],
    ["catalogue_coverage_at_10", full.coverage!],
  ];
  const common = { suite: "recommender", case: `ml-100k/${ranker.name}`, unit: "1", n: full.n, seeds: [seed] };
  return {
    line: [TITLES[ranker.name] ?? ranker.name, ...figures.map(([, value]) => value.toFixed(3))],
    rows: figures.map(([metric, value]) => ({ ...common, metric, value })),
  };
}

/**
 * Trains the DQN ranker on MovieLens-100K without each user's last rating, writes the model, and prints how it ranks
 * these beside ItemPop and ItemKNN. Answers false where the signal ended training early; the model is written all the
 * same.
 */
export async function train(options: TrainOptions, signal: AbortSignal): Promise<boolean> {
  const { epochs, seed } = options;
  const data = await readMovieLens(options.movielens);
  const { train, test } = leaveLastOut(data.ratings);
  const counts = `${data.users.length} users, ${data.items.length} items, ${train.user.length} ratings to learn from`;
  process.stderr.write(`MovieLens-100K: ${counts}, ${test.user.length} left out\n`);
  const progress = new Progress();
  const ranker = await trainRanker(
    { train, items: data.items },
    { epochs, seed },
    {
      signal,
      onProgress({ epoch, users, updates, loss }) {
        const done = (epoch - 1 + users / train.users) / epochs;
        progress.show(done, `training: ${updates} updates, loss ${loss.toFixed(4)}`);
      },
    },
  );
  progress.end();
  saveFile(options.model, packModel(ranker, data));
  const learned = `${ranker.agent.updates} updates in ${progress.seconds.toFixed(1)} s`;
  process.stderr.write(`${options.model} written: ${learned}\n`);
  if (signal.aborted) return false;

  const judged = [new ItemPop(train), new ItemKnn(train), ranker].map((each) => judge(each, train, test, seed));
  const header = ["ranker", `HR@${K} full`, `NDCG@${K} full`, `HR@${K} 1+99`, `NDCG@${K} 1+99`, `coverage@${K}`];
  const lines = judged.map(({ line }) => line);
  process.stdout.write(`${table(header, lines)}\n`);
  process.stdout.write(
    `full: among all unseen items; 1+99: among 99 unseen ones drawn at random; ${test.user.length} users\n`,
  );
  if (options.json) {
    writeRows(
      options.json,
      judged.flatMap(({ rows }) => rows),
    );
  }
  return true;
}
