/**
 * Taking over from another recommender. An apprentice is given the decisions of the one that serves, and everything that
 * happens, and shows nothing to anybody. It first imitates; its agreement says how well it knows what is shown and why.
 * Then it learns what the streams are worth, stays near what was shown, and takes over.
 *
 * The users are made up: each has one favourite category, stays in it for 15 minutes, and leaves others after half a
 * minute. The old recommender shows a favourite first in three requests of five, else two streams drawn at random: who
 * knows it well agrees with it on the first stream in 68 of 100 requests.
 *
 *   node node_modules/liveq/dist/examples/apprentice.js
 *
 * Prints (one seed):
 *
 *   150 requests: agrees on the first stream 41 %, on the slate 47 %; the old one earned 10.2 minutes a request
 *   600 requests: agrees on the first stream 64 %, on the slate 53 %; the old one earned 11.6 minutes a request
 *   1200 requests: agrees on the first stream 68 %, on the slate 53 %; the old one earned 11.3 minutes a request
 *   1800 requests: agrees on the first stream 69 %, on the slate 54 %; the old one earned 12.0 minutes a request
 *   2400 requests: acts; the apprentice earned 15.0 minutes a request
 */

import { Random } from "liveq";
import { type LiveEvent, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const CATEGORIES = ["chess", "music", "racing", "cooking", "drawing"];
const USERS = 30;
const random = new Random(1);

/** What the old recommender shows: two streams. */
function oldSlate(user: number): string[] {
  const [one, two] = random.shuffle([...CATEGORIES]);
  const favourite = CATEGORIES[user % CATEGORIES.length]!;
  if (random.bernoulli(0.4)) return [one!, two!];
  return [favourite, one === favourite ? two! : one!];
}

const recommender = new Recommender({
  seed: 1,
  apprentice: true,
  warmupUpdates: 0,
  learner: { learningRate: 1e-3, cqlAlpha: 0.1, clone: { updates: 2400 } },
});
for (const category of CATEGORIES) {
  recommender.feedback({ kind: "on_air", time: 0, stream: category, streamer: `${category} show`, category });
}

/** A user enters a favourite on the slate, or else the first stream, half the time; returns the minutes watched. */
function live(user: number, slate: readonly string[], decision: string, time: number): number {
  const favourite = CATEGORIES[user % CATEGORIES.length]!;
  const isThere = slate.includes(favourite);
  if (!isThere && random.bernoulli(0.5)) return 0;
  const watchMs = (isThere ? 15 : 0.5) * MINUTE;
  const about = { user: `u${user}`, stream: isThere ? favourite : slate[0]!, decision };
  const events: LiveEvent[] = [
    { kind: "click", ...about, time },
    { kind: "watch", ...about, time: time + watchMs, watchMs },
  ];
  for (const event of events) recommender.feedback(event, event.time);
  return watchMs / MINUTE;
}

const REQUESTS = 2400;
let [minutes, from] = [0, 0];
for (let i = 0; i <= REQUESTS; i++) {
  const [user, time] = [i % USERS, i * 20 * MINUTE];
  if (i === 1800) recommender.graduate();
  if ([150, 600, 1200, 1800, REQUESTS].includes(i)) {
    const who = i <= 1800 ? "the old one" : "the apprentice";
    const { first, overlap } = recommender.agreement();
    const agrees = `agrees on the first stream ${percent(first)}, on the slate ${percent(overlap)}`;
    const earned = `${who} earned ${(minutes / (i - from)).toFixed(1)} minutes a request`;
    console.log(`${i} requests: ${i <= 1800 ? agrees : "acts"}; ${earned}`);
    [minutes, from] = [0, i];
  }
  if (recommender.isApprentice) {
    const decision = { id: `old-${i}`, user: `u${user}`, time, slate: oldSlate(user) };
    recommender.recordDecision(decision);
    minutes += live(user, decision.slate, decision.id, time);
  } else {
    const { id, slate } = recommender.recommend({ user: `u${user}`, now: time, k: 2 });
    minutes += live(user, slate, id, time);
  }
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
