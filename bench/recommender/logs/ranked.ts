import { hitRate, ndcg, placeHeldOut, type Ranker } from "../../../src/evaluation/ranking.js";
import { type Interactions, leaveLastOut, selectInteractions } from "../../../src/logs/index.js";
import { Random } from "../../../src/numeric/random.js";
import { trainDqnRanker } from "../../../src/ranking/dqn/ranker.js";
import { Ease } from "../../../src/ranking/ease.js";
import { ItemKnn } from "../../../src/ranking/itemknn.js";
import { ItemPop } from "../../../src/ranking/itempop.js";
import { bootstrapInterval } from "../../../src/statistics/intervals.js";
import type { Result } from "../../harness/suite.js";
import type { LookAlikeLog } from "./lookalikes.js";
import { ratingsIn } from "./reading.js";

const METRICS = ["hr_at_10", "ndcg_at_10"] as const;
/** Of items of which nothing is known. */
const NO_TRAITS = { year: Number.NaN, genres: 0 };

/** Whether all ratings are of one time. */
function withoutTimes({ time }: Interactions): boolean {
  return time.every((one) => one === time[0]);
}

/** Ratings without times in a random order: that of a file may tell the last one, as in a matrix. */
function shuffled(ratings: Interactions, seed: number): Interactions {
  const places = Array.from(ratings.user.keys());
  return selectInteractions(ratings, Int32Array.from(Random.named(seed, "no-times").shuffle(places)));
}

/**
 * Figures of the DQN ranker and others on each user's last rating, among all items that are new to the user; without
 * times, on one of each user that is drawn.
 */
export async function measureRatings(
  { format, make }: LookAlikeLog,
  seeds: readonly number[],
  say: (text: string) => void,
): Promise<Result[]> {
  const counts = { rows: 0, kept: 0, updates: 0 };
  const values = new Map<string, number[][]>();
  let n = 0;
  for (const seed of seeds) {
    const { ratings, rows } = await ratingsIn(format, make(seed));
    const split = leaveLastOut(withoutTimes(ratings) ? shuffled(ratings, seed) : ratings);
    const { train, test } = split;
    const items = Array.from({ length: train.items }, () => NO_TRAITS);
    let updates = 0;
    const onProgress = (progress: { updates: number }) => {
      updates = progress.updates;
    };
    const dqn = await trainDqnRanker({ train, items }, { seed }, { onProgress });
    say(`seed ${seed}: ${updates} updates`);
    counts.rows += rows;
    counts.kept += ratings.user.length;
    counts.updates += updates;
    n += test.user.length;
    const judged = (ranker: Ranker) => {
      const places = placeHeldOut(ranker, train, test, { kind: "full" });
      return [hitRate(places, 10), ndcg(places, 10)];
    };
    const own = judged(dqn);
    dqn.dispose();
    const popular = judged(new ItemPop(train));
    const above = own.map((each, m) => each.map((value, user) => value - popular[m]![user]!));
    const all = { recommender: own, popular, itemknn: judged(new ItemKnn(train)), ease: judged(new Ease(train)) };
    for (const [name, figures] of Object.entries({ ...all, "above-popular": above })) {
      const lists = values.get(name) ?? METRICS.map(() => []);
      for (const [m, list] of lists.entries()) list.push(...figures[m]!);
      values.set(name, lists);
    }
  }
  const common = { seeds: [...seeds], n };
  const rows: Result[] = Object.entries(counts).map(([metric, value]) => {
    return { case: `logs/${format}`, metric, value, unit: "1", isExact: true, ...common };
  });
  for (const [name, lists] of values) {
    for (const [m, metric] of METRICS.entries()) {
      const figure = bootstrapInterval(Float64Array.from(lists[m]!));
      const judged = name === "above-popular" ? { target: 0, met: figure.lo > 0 } : {};
      rows.push({ case: `logs/${format}/${name}`, metric, unit: "1", ...figure, ...common, ...judged });
    }
  }
  return rows;
}
