/**
 * Several platforms at once: one recommender serves films and clips, with one state of the users, and a group of
 * features of your own says of which platform a candidate is. What users show on one platform helps on the other.
 *
 * Users are made up: each likes two of six subjects, on both platforms, and stays in what it likes for a minute. One
 * request in ten is for clips. A recommender of the clips alone has little to learn from.
 *
 *   node node_modules/liveq/dist/examples/uses/domains.js
 *
 * Prints (one seed):
 *
 *   share of shown clips that the viewer likes
 *   at random             0.31
 *   one for each platform 0.36
 *   one for both          0.99
 */
import { Random } from "liveq";
import { RandomPolicy } from "liveq/baselines";
import { coreFeatures, featureGroup, type LiveEvent, type Policy, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const SUBJECTS = ["chess", "music", "racing", "cooking", "travel", "news"];
const PLATFORMS = ["film", "clip"];
const USERS = 60;
const REQUESTS = 3600;

/** Whether a candidate is a clip. Its id says so; a real platform would send it as a tag. */
const platform = () =>
  featureGroup("platform", {}, () => ({
    observation: 0,
    candidate: 1,
    begin: () => undefined,
    writeCandidate: (row, offset, { id }) => void row.fill(id.startsWith("clip") ? 1 : -1, offset, offset + 1),
  }));

/** The share of liked clips among those shown in the second half; `policies`: of films, and of clips. */
function liked(policies: [films: Policy, clips: Policy]): number {
  const random = new Random(1);
  let [shown, hits] = [0, 0];
  const tell = (at: number, event: LiveEvent) => policies[at]!.feedback(event);
  for (let i = 0; i < REQUESTS; i++) {
    const now = i * 2 * MINUTE;
    // Every 60 requests other films and clips are on air.
    const round = Math.floor(i / 60);
    for (const [at, name] of i % 60 === 0 ? PLATFORMS.entries() : []) {
      for (const category of SUBJECTS) {
        const stream = `${name} ${category} ${round}`;
        tell(at, { kind: "on_air", time: now, stream, streamer: stream, category });
        if (round > 0) tell(at, { kind: "off_air", time: now, stream: `${name} ${category} ${round - 1}` });
      }
    }
    const at = Number(random.bernoulli(0.1));
    const user = random.below(USERS);
    const candidates = SUBJECTS.map((category) => `${PLATFORMS[at]} ${category} ${round}`);
    const { id: decision, slate } = policies[at]!.recommend({ user: `u${user}`, now, k: 1, candidates });
    const about = { user: `u${user}`, stream: slate[0]!, decision };
    const subject = SUBJECTS.indexOf(about.stream.split(" ")[1]!);
    const isLiked = subject === user % 6 || subject === (user + 1 + (user % 5)) % 6;
    if (at === 1 && i >= REQUESTS / 2) [shown, hits] = [shown + 1, hits + Number(isLiked)];
    const watchMs = isLiked ? MINUTE : 4000;
    tell(at, { kind: "click", time: now, ...about });
    tell(at, { kind: "watch", time: now + watchMs, ...about, watchMs });
  }
  return hits / shown;
}

const learner = () =>
  new Recommender({ seed: 1, features: [...coreFeatures(), platform()], warmupUpdates: 200, gamma: 0 });
const both = learner();
console.log("share of shown clips that the viewer likes");
console.log(`at random             ${liked([new RandomPolicy(1), new RandomPolicy(2)]).toFixed(2)}`);
console.log(`one for each platform ${liked([learner(), learner()]).toFixed(2)}`);
console.log(`one for both          ${liked([both, both]).toFixed(2)}`);
