/**
 * A shop with a recommender: the catalogue is a set of streams that stay on air, a look at a product is a click, and
 * purchases are the reward. Nobody watches anything.
 *
 * Customers are made up. Postcards sell in half of all offers for 1; of the tools, each customer buys those of one
 * trade in 20 % of offers, for 60. So the best seller is not the best offer, and the best offer differs by customer.
 *
 *   node node_modules/liveq/dist/examples/uses/purchases.js
 *
 * Prints (one seed):
 *
 *   takings an offer
 *   at random    3.20
 *   most popular 0.49
 *   learned      9.98
 */
import { Random } from "liveq";
import { PopularPolicy, RandomPolicy } from "liveq/baselines";
import { coreFeatures, type Policy, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const TRADES = ["garden", "kitchen", "garage"];
const CUSTOMERS = 30;
const OFFERS = 4000;

/** The mean takings of an offer in the second half of all offers. */
function takings(policy: Policy): number {
  const random = new Random(1);
  for (const category of ["postcards", ...TRADES]) {
    for (let n = 0; n < 4; n++) {
      policy.feedback({ kind: "on_air", time: 0, stream: `${category} ${n}`, streamer: `${category} ${n}`, category });
    }
  }
  let sum = 0;
  for (let i = 0; i < OFFERS; i++) {
    const now = (i + 1) * 2 * MINUTE;
    const customer = random.below(CUSTOMERS);
    const { id: decision, slate } = policy.recommend({ user: `u${customer}`, now, k: 1 });
    const about = { user: `u${customer}`, stream: slate[0]!, decision };
    const isCard = about.stream.startsWith("postcards");
    const isOwn = about.stream.startsWith(TRADES[customer % TRADES.length]!);
    const isBought = random.bernoulli(isCard ? 0.5 : isOwn ? 0.2 : 0);
    const amount = isCard ? 1 : 60;
    // Customers open what they might need.
    if (isCard || isOwn) policy.feedback({ kind: "click", time: now, ...about });
    if (isBought) policy.feedback({ kind: "purchase", time: now + 1000, ...about, amount });
    if (isBought && i >= OFFERS / 2) sum += amount;
  }
  return sum / (OFFERS / 2);
}

// Takings are the goal, not their logarithm: a function of one's own, in tens.
const reward = { watch: 0, purchase: 0, of: ({ purchases }: { purchases: number }) => purchases / 10 };
const pending = { awaitWatch: false };
// A product stays on offer, however long nobody looks at it.
const profile = { streamTimeoutMs: 0 };
const popular = Object.assign(new PopularPolicy(), profile);
const always = { profile, reward, pending, warmupUpdates: 200, gamma: 0 };
const learner = new Recommender({ seed: 1, features: coreFeatures(), ...always });
console.log("takings an offer");
console.log(`at random    ${takings(Object.assign(new RandomPolicy(1), profile)).toFixed(2)}`);
console.log(`most popular ${takings(popular).toFixed(2)}`);
console.log(`learned      ${takings(learner).toFixed(2)}`);
