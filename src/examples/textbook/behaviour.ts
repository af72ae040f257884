/**
 * Case study: recommending by behaviour. The recommender knows of users only the streams that they were shown and
 * opened, and how long they stayed. It is judged on users whom it has never met, by how fast it finds their taste.
 *
 * Users are made up: each has one favourite category, stays in it for 15 minutes, and leaves others after half a
 * minute. Every visit is to other streams of other streamers, and every round has other users: nothing can be learned
 * by heart.
 *
 *   node node_modules/liveq/dist/examples/textbook/behaviour.js
 *
 * Prints (one seed):
 *
 *   what most people watch: 2.9 minutes at the first visit of a user, 2.9 at the fourth, 2.9 at the eighth
 *   recommender, first users: 2.9 minutes at the first visit of a user, 2.9 at the fourth, 2.9 at the eighth
 *   recommender, later users: 2.7 minutes at the first visit of a user, 9.2 at the fourth, 11.5 at the eighth
 */
import { PopularPolicy } from "liveq/baselines";
import { type Policy, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const CATEGORIES = ["chess", "music", "racing", "cooking", "travel", "art"];
const VISITS = 8;

/** Minutes watched at each visit, from the first to the eighth, of the users that come in one round. */
function serve(policy: Policy, round: number, users: number): number[] {
  const start = round * VISITS * 30 * MINUTE;
  const minutes = Array.from({ length: VISITS }, () => 0);
  for (let visit = 0; visit < VISITS; visit++) {
    const time = start + visit * 30 * MINUTE;
    const names = CATEGORIES.map((category) => `${category} ${round}.${visit}`);
    for (const [i, stream] of names.entries()) {
      const streamer = `streamer of ${stream}`;
      policy.feedback({ kind: "on_air", time, stream, streamer, category: CATEGORIES[i]! }, time);
      policy.feedback({ kind: "update", time, stream, viewers: 100 + i }, time);
    }
    const watches = [];
    for (let user = 0; user < users; user++) {
      const name = `user ${round}.${user}`;
      const { id, slate } = policy.recommend({ user: name, now: time, k: 1 });
      const stream = slate[0]!;
      const watched = stream.startsWith(CATEGORIES[user % CATEGORIES.length]!) ? 15 : 0.5;
      minutes[visit]! += watched / users;
      policy.feedback({ kind: "click", time, user: name, stream, decision: id }, time);
      watches.push({ kind: "watch", user: name, stream, decision: id, watchMs: watched * MINUTE } as const);
    }
    // Events come in order of time.
    watches.sort((a, b) => a.watchMs - b.watchMs);
    for (const watch of watches) policy.feedback({ ...watch, time: time + watch.watchMs }, time + watch.watchMs);
    const end = time + 20 * MINUTE;
    for (const stream of names) policy.feedback({ kind: "off_air", time: end, stream }, end);
  }
  return minutes;
}

/** The minutes of a round in words. */
function show(minutes: readonly number[]): string {
  const at = (visit: number) => minutes[visit - 1]!.toFixed(1);
  return `${at(1)} minutes at the first visit of a user, ${at(4)} at the fourth, ${at(8)} at the eighth`;
}

console.log(`what most people watch: ${show(serve(new PopularPolicy(), 0, 30))}`);
const recommender = new Recommender({ seed: 1, explore: { epsilon: 0.2 } });
console.log(`recommender, first users: ${show(serve(recommender, 0, 30))}`);
for (let round = 1; round < 10; round++) serve(recommender, round, 30);
console.log(`recommender, later users: ${show(serve(recommender, 10, 120))}`);
