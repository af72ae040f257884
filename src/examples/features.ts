/**
 * A group of features of your own: how a user likes streams in a language other than the user's.
 *
 * Viewers here read two languages; some like streams in another language, some do not. Category, streamer and title
 * carry no information. The group keeps the minutes of each user in foreign streams, and writes them beside whether a
 * stream is foreign.
 *
 *   node node_modules/liveq/dist/examples/features.js
 *
 * Prints (one seed):
 *
 *   share of shown streams that the viewer likes
 *   core groups     0.50
 *   with my group   0.92
 */
import { Random } from "liveq";
import { coreFeatures, type FeatureGroup, featureGroup, Recommender } from "liveq/recommender";

const MINUTE = 60_000;
const VIEWERS = 40;

/** Keeps minutes in foreign and in other streams by user; every watch writes them. Writes 3 numbers of a candidate. */
const foreign = (): FeatureGroup =>
  featureGroup("foreign", {}, ({ state }) => {
    type Minutes = [foreign: number, other: number];
    const minutes = new Map<string, Minutes>();
    const isForeign = (user: string, stream: string) => {
      const own = state.users.get(user)?.traits.language;
      const language = state.catalogue.get(stream)?.language;
      return own === undefined || language === undefined ? undefined : own !== language;
    };
    state.keep("foreign", () => ({
      feedback({ event, watch }) {
        const which = event.kind === "watch" ? isForeign(event.user, event.stream) : undefined;
        if (event.kind !== "watch" || which === undefined || watch === undefined) return;
        const own = minutes.get(event.user) ?? [0, 0];
        own[which ? 0 : 1] += watch.watchMs / MINUTE;
        minutes.set(event.user, own);
      },
      forget: (user) => void minutes.delete(user),
      save: () => [...minutes],
      load(saved) {
        for (const [user, own] of saved as [string, Minutes][]) minutes.set(user, own);
      },
    }));
    let current = "";
    return {
      observation: 0,
      candidate: 3,
      begin(user) {
        current = user;
      },
      writeCandidate(row, offset, { id }) {
        const [abroad, home] = minutes.get(current) ?? [0, 0];
        const which = isForeign(current, id);
        const share = (which ? abroad : home) / (abroad + home + 1);
        row.set(which === undefined ? [0, 0, 0] : [1, which ? 1 : -1, share], offset);
      },
    };
  });

/** Serves the viewers, and returns the share of liked streams among those shown in the second half. */
function live(features: FeatureGroup[]): number {
  const random = new Random(1);
  const recommender = new Recommender({ features, warmupUpdates: 200, learner: { learningStarts: 50 } });
  const languages = ["en", "zh"];
  const likesForeign = Array.from({ length: VIEWERS }, () => random.bernoulli(0.5));
  for (let v = 0; v < VIEWERS; v++) {
    recommender.feedback({ kind: "user", time: 0, user: `v${v}`, language: languages[v % 2]! });
  }
  const languageOf = new Map<string, string>();
  let [shown, liked] = [0, 0];
  for (let visit = 0; visit < 3000; visit++) {
    const time = visit * 2 * MINUTE;
    const [stream, language] = [`s${visit}`, random.pick(languages)];
    languageOf.set(stream, language);
    // Every stream is of an unknown streamer; twenty are on air.
    recommender.feedback({ kind: "on_air", time, stream, streamer: `r${visit}`, category: "talk", language });
    if (visit >= 20) recommender.feedback({ kind: "off_air", time, stream: `s${visit - 20}` });
    const v = random.below(VIEWERS);
    const { id: decision, slate } = recommender.recommend({ user: `v${v}`, now: time, k: 1 });
    const about = { user: `v${v}`, stream: slate[0]!, decision };
    const isLiked = (languageOf.get(about.stream) !== languages[v % 2]) === likesForeign[v];
    if (visit >= 1500) [shown, liked] = [shown + 1, liked + Number(isLiked)];
    recommender.feedback({ kind: "click", time, ...about });
    const watchMs = isLiked ? 1.5 * MINUTE : 5000;
    recommender.feedback({ kind: "watch", time: time + watchMs, ...about, watchMs });
  }
  recommender.dispose();
  return liked / shown;
}

console.log("share of shown streams that the viewer likes");
console.log(`core groups     ${live(coreFeatures()).toFixed(2)}`);
console.log(`with my group   ${live([...coreFeatures(), foreign()]).toFixed(2)}`);
