import {
  evaluateRanking,
  hitRate,
  ndcg,
  placeHeldOut,
  type Ranker,
  type RankingProtocol,
  reciprocalRank,
} from "../../evaluation/index.js";
import type { Interactions } from "../../logs/index.js";
import { bootstrapInterval, type Interval } from "../../statistics/index.js";
import { verdict } from "../verdicts/index.js";
import { grid } from "./figures.js";
import { print } from "./output.js";
import { printVerdicts, type Row, writeRows } from "./results.js";

const K = 10;
const FULL: RankingProtocol = { kind: "full" };
const NEGATIVES = 99;
const TITLES: Record<string, string> = { itempop: "ItemPop", itemknn: "ItemKNN, cosine, 50", dqn: "DQN" };

/** The metrics of each held-out item. */
const METRICS: readonly { metric: string; title: string }[] = [
  { metric: "hr_at_10", title: `HR@${K} full` },
  { metric: "ndcg_at_10", title: `NDCG@${K} full` },
  { metric: "mrr", title: "MRR full" },
  { metric: "hr_at_10_sampled_99", title: `HR@${K} 1+${NEGATIVES}` },
  { metric: "ndcg_at_10_sampled_99", title: `NDCG@${K} 1+${NEGATIVES}` },
];
/** The metric of the verdict. */
const MAIN = 1;
const COVERAGE = { metric: "catalogue_coverage_at_10", title: `coverage@${K}` };

/** How a ranker places the users' held-out items. */
interface Judged {
  name: string;
  title: string;
  /** By metric, of each user. */
  values: Float64Array[];
  coverage: Interval;
}

function judge(ranker: Ranker, train: Interactions, test: Interactions, seed: number): Judged {
  const full = placeHeldOut(ranker, train, test, FULL);
  const sampled = placeHeldOut(ranker, train, test, { kind: "sampled", negatives: NEGATIVES, seed });
  const values = [hitRate(full, K), ndcg(full, K), reciprocalRank(full), hitRate(sampled, K), ndcg(sampled, K)];
  const { coverage } = evaluateRanking(ranker, train, test, FULL, K);
  return { name: ranker.name, title: TITLES[ranker.name] ?? ranker.name, values, coverage: coverage! };
}

/** A ranker's lead over another, user by user. */
function above(judged: Judged, first: Judged, metric: number): Interval {
  return bootstrapInterval(judged.values[metric]!.map((value, user) => value - first.values[metric]![user]!));
}

/** Prints how rankers place each user's held-out item, by both protocols, and their leads over the first. */
export function compare(
  rankers: readonly Ranker[],
  { train, test }: { train: Interactions; test: Interactions },
  { seed, json, out }: { seed: number; json?: string | undefined; out?: string },
): void {
  const judged = rankers.map((ranker) => judge(ranker, train, test, seed));
  const [first, ...others] = judged as [Judged, ...Judged[]];
  const figures = judged.map(({ values }) => values.map((each) => bootstrapInterval(each)));
  const titles = METRICS.map(({ title }) => title);
  const at = (title: string) => judged.findIndex((one) => one.title === title);
  const figure = (line: string, column: string) => {
    if (line === COVERAGE.title) return judged[at(column)]!.coverage;
    return figures[at(column)]![titles.indexOf(line)];
  };
  const all = grid(
    [...titles, COVERAGE.title],
    judged.map(({ title }) => title),
    figure,
  );
  const gains = grid(
    titles,
    others.map(({ title }) => title),
    (line, column) => above(judged[at(column)]!, first, titles.indexOf(line)),
  );
  print(`${all}\n\nabove ${first.title}, user by user:\n${gains}\n`, json);
  const note = `full: among all unseen items; 1+${NEGATIVES}: among ${NEGATIVES} unseen ones drawn at random`;
  print(`${note}; mean [95 % interval] of ${test.user.length} users\n`, json, out);
  const own = others.filter(({ name }) => name === "dqn");
  const base = figures[0]![MAIN]!.value;
  const leads = own.map((one) => ({ ...above(one, first, MAIN), name: one.name, reference: first.name, base }));
  printVerdicts(
    leads.map((lead) => verdict({ ...lead, metric: METRICS[MAIN]!.title, unit: "users" })),
    json,
    out,
  );
  const rows = judged.flatMap(({ name, coverage }, i): Row[] => {
    const common = { suite: "recommender", case: `ml-100k/${name}`, unit: "1", n: test.user.length, seeds: [seed] };
    const measured = METRICS.map(({ metric }, m): Row => ({ ...common, metric, ...figures[i]![m]! }));
    return [...measured, { ...common, metric: COVERAGE.metric, ...coverage }];
  });
  const paired = others.flatMap((one) =>
    METRICS.map(({ metric }, m): Row => {
      const name = `ml-100k/${one.name}-above-${first.name}`;
      return { suite: "recommender", case: name, metric, unit: "1", ...above(one, first, m), seeds: [seed] };
    }),
  );
  writeRows(json, [...rows, ...paired]);
}
