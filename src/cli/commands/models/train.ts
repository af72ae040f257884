import { leaveLastOut } from "../../../logs/index.js";
import { type DqnRankerOptions, ItemKnn, ItemPop, trainDqnRanker } from "../../../ranking/index.js";
import { packModel } from "../../reading/model.js";
import { readMovieLens } from "../../reading/movielens.js";
import { readJsonObject } from "../../reading/options.js";
import { Progress } from "../../reports/index.js";
import { Curve } from "../../writing/curve.js";
import { takeModel, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { compare } from "../../writing/ranking.js";

export interface TrainOptions {
  movielens: string;
  model: string;
  epochs: number;
  seed: number;
  /** File with options of the ranker, which win over the others. */
  options?: string;
  json?: string;
}

/**
 * Trains the DQN ranker on MovieLens-100K without each user's last rating, writes the model, and compares how it ranks
 * the last ratings with ItemPop and ItemKNN. Returns false if the signal ended training early; it writes the model all
 * the same.
 */
export async function train(options: TrainOptions, signal: AbortSignal): Promise<boolean> {
  const { epochs, seed, json } = options;
  const own = options.options === undefined ? {} : (readJsonObject(options.options) as DqnRankerOptions);
  tryOutputs(json);
  const lock = takeModel(options.model);
  const data = await readMovieLens(options.movielens);
  const split = leaveLastOut(data.ratings);
  const { train, test } = split;
  const counts = `${data.users.length} users, ${data.items.length} items, ${train.user.length} ratings to learn from`;
  process.stderr.write(`MovieLens-100K: ${counts}, ${test.user.length} held out\n`);
  const progress = new Progress("users");
  const curve = new Curve("loss", "updates");
  const ranker = await trainDqnRanker(
    { train, items: data.items },
    { epochs, seed, ...own },
    {
      signal,
      onProgress({ epoch, epochs: all, users, updates, loss }) {
        const count = (epoch - 1) * train.users + users;
        curve.add(updates, loss);
        const text = () => `${updates} updates, loss ${loss.toFixed(4)} ${curve.picture}`;
        progress.show({ count, fraction: count / train.users / all, text });
      },
    },
  );
  progress.end();
  curve.note();
  writeFile(options.model, packModel(ranker, data));
  lock.release();
  const learned = `${ranker.agent.updates} updates in ${progress.seconds.toFixed(1)} s`;
  process.stderr.write(`${titleOf(options.model)} written: ${learned}\n`);
  if (signal.aborted) return false;
  compare([new ItemPop(train), new ItemKnn(train), ranker], split, { seed, json, out: options.model });
  return true;
}
