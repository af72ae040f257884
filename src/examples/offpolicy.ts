/**
 * Off-policy evaluation: what would another policy have earned, by the log of the policy that chose? The log must hold
 * the propensity of each choice: the probability with which it was made.
 *
 * The log is made up, so that the truth is known. Fans click more than guests on anything, and were mostly shown banner
 * 0; guests were mostly shown banner 1. So clicks per impression make banner 0 look best for everybody, which is
 * wrong.
 *
 *   node node_modules/liveq/dist/examples/offpolicy.js
 *
 * Prints (one seed):
 *
 *   banner 0 for all, % clicked: truth 7.4, naive 15.2, snips 7.3 [6.6, 7.9], dr 7.3 [6.5, 8.1]
 *   banner 1 for all, % clicked: truth 10.3, naive 5.1, snips 10.5 [9.4, 11.8], dr 10.5 [9.3, 11.8]
 *   2 for guests, 1 for fans, % clicked: truth 14.5, naive 12.8, snips 14.8 [13.5, 16.1], dr 14.8 [13.4, 16.2]
 */
import { Random, weightedIndex } from "liveq";
import { OffPolicyEstimates } from "liveq/evaluation";

/** By kind of viewer (guest, fan) and banner: the probability of a click, and of the banner in the log. */
const CLICKS = [
  [0.02, 0.04, 0.1],
  [0.2, 0.25, 0.15],
];
const LOGGED = [
  [0.1, 0.7, 0.2],
  [0.7, 0.1, 0.2],
];
const FANS = 0.3;

/** The policies to evaluate: the probability of each banner, by kind of viewer. */
const POLICIES = {
  "banner 0 for all": [
    [1, 0, 0],
    [1, 0, 0],
  ],
  "banner 1 for all": [
    [0, 1, 0],
    [0, 1, 0],
  ],
  "2 for guests, 1 for fans": [
    [0, 0, 1],
    [0, 1, 0],
  ],
};

const random = new Random(1);
const log = Array.from({ length: 20_000 }, () => {
  const viewer = random.below(5000);
  const kind = viewer < FANS * 5000 ? 1 : 0;
  const banner = weightedIndex(random, LOGGED[kind]!);
  return { viewer, kind, banner, clicked: random.bernoulli(CLICKS[kind]![banner]!) };
});
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const clicksOf = (entries: typeof log) => mean(entries.map(({ clicked }) => Number(clicked)));

/** A rough model, blind to the kind of viewer: the doubly robust estimate corrects it by the log. */
const model = [0, 1, 2].map((banner) => clicksOf(log.filter((entry) => entry.banner === banner)));

for (const [name, policy] of Object.entries(POLICIES)) {
  const estimates = new OffPolicyEstimates();
  for (const { viewer, kind, banner, clicked } of log) {
    const chances = policy[kind]!;
    const choice = {
      propensity: LOGGED[kind]![banner]!,
      probability: chances[banner]!,
      reward: Number(clicked),
      predicted: model[banner]!,
      expected: chances.reduce((sum, chance, other) => sum + chance * model[other]!, 0),
    };
    // Viewers are resampled for the intervals, not impressions: in 1024 groups.
    estimates.add(viewer % 1024, [choice]);
  }
  const truth = (1 - FANS) * chanceOfClick(policy, 0) + FANS * chanceOfClick(policy, 1);
  const naive = clicksOf(log.filter(({ kind, banner }) => policy[kind]![banner] === 1));
  const figures = estimates.figures().filter(({ metric }) => metric === "snips" || metric === "dr");
  const inWords = figures.map(({ metric, value, lo, hi }) => `${metric} ${show(value)} [${show(lo)}, ${show(hi)}]`);
  console.log(`${name}, % clicked: truth ${show(truth)}, naive ${show(naive)}, ${inWords.join(", ")}`);
}

function chanceOfClick(policy: number[][], kind: number): number {
  return policy[kind]!.reduce((sum, chance, banner) => sum + chance * CLICKS[kind]![banner]!, 0);
}

/** In percent. */
function show(share: number): string {
  return (100 * share).toFixed(1);
}
