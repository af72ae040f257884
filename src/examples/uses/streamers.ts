/**
 * Whom to follow: streamers instead of streams. Each streamer is a stream that stays on air for good, and a follow is
 * the reward.
 *
 * Users are made up: each follows streamers of one subject in 50 % of the requests that show one, others in 5 %.
 * Streamers join all the time; who joined long ago leaves.
 *
 *   node node_modules/liveq/dist/examples/uses/streamers.js
 *
 * Prints (one seed):
 *
 *   share of shown streamers that are followed
 *   at random    0.16
 *   most popular 0.14
 *   learned      0.44
 */
import { Random } from "liveq";
import { PopularPolicy, RandomPolicy } from "liveq/baselines";
import { coreFeatures, type Policy, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const SUBJECTS = ["chess", "music", "racing", "cooking"];
const USERS = 40;
const REQUESTS = 4000;

/** The share of follows in the second half of all requests. */
function followed(policy: Policy): number {
  const random = new Random(1);
  let follows = 0;
  const join = (n: number, time: number) => {
    const streamer = `${SUBJECTS[n % SUBJECTS.length]} ${n}`;
    const category = SUBJECTS[n % SUBJECTS.length]!;
    policy.feedback({ kind: "on_air", time, stream: streamer, streamer, category });
  };
  for (let n = 0; n < 20; n++) join(n, 0);
  for (let i = 0; i < REQUESTS; i++) {
    const now = i * 2 * MINUTE;
    if (i > 0 && i % 20 === 0) {
      const newest = 19 + i / 20;
      join(newest, now);
      const stream = `${SUBJECTS[newest % SUBJECTS.length]} ${newest - 20}`;
      policy.feedback({ kind: "off_air", time: now, stream });
    }
    const user = random.below(USERS);
    const { id: decision, slate } = policy.recommend({ user: `u${user}`, now, k: 1 });
    const about = { user: `u${user}`, stream: slate[0]! };
    const isFollowed = random.bernoulli(about.stream.startsWith(SUBJECTS[user % SUBJECTS.length]!) ? 0.5 : 0.05);
    if (i >= REQUESTS / 2) follows += Number(isFollowed);
    policy.feedback({ kind: "click", time: now, ...about, decision });
    if (isFollowed) policy.feedback({ kind: "follow", time: now + 1000, ...about });
    const watchMs = isFollowed ? MINUTE : 6000;
    policy.feedback({ kind: "watch", time: now + watchMs, ...about, watchMs, decision });
  }
  return follows / (REQUESTS / 2);
}

const reward = { watch: 0, follow: 1 };
const learner = new Recommender({ seed: 1, features: coreFeatures(), reward, warmupUpdates: 200, gamma: 0 });
console.log("share of shown streamers that are followed");
console.log(`at random    ${followed(new RandomPolicy(1)).toFixed(2)}`);
console.log(`most popular ${followed(new PopularPolicy()).toFixed(2)}`);
console.log(`learned      ${followed(learner).toFixed(2)}`);
