/**
 * Why a stream is shown: `explain` in a request, and the answer in plain English; here for the first stream alone.
 *
 * Each viewer likes one of twelve streamers, and leaves the others soon. Nothing else tells good streams from bad ones:
 * all are of one category, and begin anew every day. So the history with the streamer must be what decides.
 *
 *   node node_modules/liveq/dist/examples/explanations.js
 *
 * Prints (one seed):
 *
 *   r3 on day 6
 *     shown first: you have watched this streamer 365 times (+0.71),
 *       it has been on air for 360 minutes (-0.29),
 *       how much you watch talk (-0.048)
 *     value 1.12, 0.008 above that of the request, 1.11; entered from this slate with 100 %
 *     a score 0.012 lower lets r9 on day 6 take its place; without "pair" it would be fifth by score
 *   r9 on day 6: left out by its score
 *   r11 on day 6: left out by its score
 *   r6 on day 6: left out by its score
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
  // Viewers open the streamer whom they like, or else any stream or none.
  const stream = slate.find((id) => id.startsWith(`r${viewer} `)) ?? random.pick([...slate, ...slate.map(() => "")]);
  if (stream === "") continue;
  const about = { user: `v${viewer}`, stream, decision };
  const watchMs = stream.startsWith(`r${viewer} `) ? 2 * MINUTE : 4000;
  recommender.feedback({ kind: "click", time, ...about });
  recommender.feedback({ kind: "watch", time: time + watchMs, ...about, watchMs });
}

const request = { user: "v3", now: recommender.time + MINUTE, k: 3, explain: 1 };
const { explanations = [], runnersUp = [] } = recommender.recommend(request);
for (const explanation of explanations) {
  console.log(explanation.stream);
  for (const line of explanationLines(explanation)) console.log(`  ${line.replaceAll("), ", "),\n    ")}`);
}
for (const { stream, reason } of runnersUp) console.log(`${stream}: left out by its ${reason}`);
recommender.dispose();
