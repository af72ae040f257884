/**
 * Why a stream is shown: `explain: true` in a request, and its answer in plain English.
 *
 * Each viewer likes one of twelve streamers, and leaves the others soon. Nothing else tells good streams from bad ones: all
 * are of one category, and begin anew every day. So the history with the streamer must be what decides.
 *
 *   node node_modules/liveq/dist/examples/explanations.js
 *
 * Prints (one seed):
 *
 *   TODO
 */
import { Random } from "liveq";
import { coreFeatures, explanationLines, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const [VIEWERS, STREAMERS, VISITS] = [8, 12, 3000];

const recommender = new Recommender({
  ...{ seed: 1, features: coreFeatures(), warmupUpdates: 200, explore: { epsilon: 0.2, temperature: 3 } },
  // Eight viewers make all decisions here, and always come back.
  ...{ profile: { decisionsPerWindow: VISITS }, returns: { cost: 0 }, gamma: 0 },
  learner: { learningStarts: 50, learningRate: 1e-3 },
});
const random = new Random(1);
for (let visit = 0; visit < VISITS; visit++) {
  const time = visit * 3 * MINUTE;
  const day = Math.floor(time / (24 * 60 * MINUTE));
  if (time % (24 * 60 * MINUTE) === 0) {
    for (let s = 0; s < STREAMERS; s++) {
      if (day > 0) recommender.feedback({ kind: "off_air", time, stream: `r${s} on day ${day - 1}` });
      const stream = `r${s} on day ${day}`;
      recommender.feedback({ kind: "on_air", time, stream, streamer: `r${s}`, category: "talk" });
    }
  }
  const viewer = random.below(VIEWERS);
  const { id: decision, slate } = recommender.recommend({ user: `v${viewer}`, now: time, k: 3 });
  // Viewers open the streamer whom they like, or else any stream.
  const stream = slate.find((id) => id.startsWith(`r${viewer} `)) ?? random.pick(slate);
  const about = { user: `v${viewer}`, stream, decision };
  const watchMs = stream.startsWith(`r${viewer} `) ? 2 * MINUTE : 4000;
  recommender.feedback({ kind: "click", time, ...about });
  recommender.feedback({ kind: "watch", time: time + watchMs, ...about, watchMs });
}

const request = { user: "v3", now: recommender.time + MINUTE, k: 3, explain: true };
const { explanations = [], runnersUp = [] } = recommender.recommend(request);
for (const explanation of explanations) {
  console.log(explanation.stream);
  for (const line of explanationLines(explanation)) console.log(`  ${line}`);
}
for (const { stream, reason } of runnersUp) console.log(`${stream}: not shown because of ${reason}`);
const [strongest] = explanations[0]!.groups;
console.log(`strongest for the first: ${strongest!.group}`);
recommender.dispose();
