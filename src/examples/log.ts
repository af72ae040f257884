/**
 * Learning from the log of another policy, before it serves anybody. A platform has shown streams at random
 * and logged each decision with its propensities. A recommender learns from the first part of that log; on the rest an
 * off-policy estimate answers whether it would do better, from logged decisions and feedback.
 *
 * The users are made up: each has one favourite category, stays in it for 15 minutes, and leaves others after half a
 * minute. So the right answer is known: 15 minutes a decision.
 *
 *   node node_modules/liveq/dist/examples/log.js
 *
 * Prints (one seed):
 *
 *   learned from 1470 decisions of another policy, in 2542 updates
 *   what was shown earned 4.4 minutes a decision [3.9, 5.0]
 *   what it would show would have earned 15.8 minutes a decision [14.2, 17.5]
 *   to a user who likes chess it would show: chess 49, cooking 49
 *   to a user who likes music it would show: music 49, chess 49
 *   to a user who likes racing it would show: racing 49, cooking 49
 *   to a user who likes cooking it would show: cooking 49, chess 49
 */
import { RandomPolicy } from "liveq/baselines";
import { OffPolicyLog } from "liveq/evaluation";
import { type LiveEvent, type LoggedDecision, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const CATEGORIES = ["chess", "music", "racing", "cooking"];
const favouriteOf = (user: number) => CATEGORIES[user % CATEGORIES.length]!;

/** The log, in order of time: a decision stands before the events that name it. On a real platform: lines of JSON. */
function* readLog(decisions: number): Generator<LoggedDecision | LiveEvent> {
  const policy = new RandomPolicy(1);
  let time = 0;
  for (let i = 0; i < decisions; i++, time += 20 * MINUTE) {
    // Every 40 decisions other streams are on air.
    if (i % 40 === 0) {
      for (const category of CATEGORIES) {
        const stream = `${category} ${i / 40}`;
        const onAir: LiveEvent = { kind: "on_air", time, stream, streamer: `${stream} show`, category };
        const old: LiveEvent = { kind: "off_air", time, stream: `${category} ${i / 40 - 1}` };
        for (const event of i > 0 ? [old, onAir] : [onAir]) {
          policy.feedback(event);
          yield event;
        }
      }
    }
    const decision = policy.recommend({ user: `u${i % 30}`, now: time, k: 1 });
    yield decision;
    const stream = decision.slate[0]!;
    const watchMs = (stream.startsWith(favouriteOf(i % 30)) ? 15 : 0.5) * MINUTE;
    const about = { user: decision.user, stream, decision: decision.id };
    yield { kind: "click", ...about, time };
    yield { kind: "watch", ...about, time: time + watchMs, watchMs };
  }
}

const recommender = new Recommender({ seed: 1 });
const SPLIT = 1500 * 20 * MINUTE;
const estimate = new OffPolicyLog(recommender, { reward: "watch", from: SPLIT });
for (const entry of readLog(2000)) {
  // The estimate passes events on to the recommender that it judges.
  if ("kind" in entry) estimate.feedback(entry);
  else if (entry.time < SPLIT) recommender.recordDecision(entry);
  else estimate.decision(entry);
}
const { transitions, updates } = recommender.stats();
console.log(`learned from ${transitions} decisions of another policy, in ${updates} updates`);

const figures = new Map(estimate.result().map((figure) => [figure.metric, figure]));
for (const [metric, meaning] of [
  ["logged", "what was shown earned"],
  ["dr", "what it would show would have earned"],
]) {
  const { value, lo, hi } = figures.get(metric!)!;
  console.log(`${meaning} ${value.toFixed(1)} minutes a decision [${lo.toFixed(1)}, ${hi.toFixed(1)}]`);
}

for (let user = 0; user < 4; user++) {
  const { slate } = recommender.rank({ user: `u${user}`, now: recommender.time, k: 2 });
  console.log(`to a user who likes ${favouriteOf(user)} it would show: ${slate.join(", ")}`);
}
