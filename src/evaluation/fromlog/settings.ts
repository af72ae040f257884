import type { LogContents } from "../../logs/index.js";
import {
  defaultFeatures,
  type FeatureGroup,
  neighbours,
  type RecommenderOptions,
  taste,
} from "../../recommender/index.js";

/** Weight of the conservative term for logs. */
export const CQL_ALPHA = 0.1;

/** The default groups, with those that learn who likes what from clicks too where nobody measures watching. */
function featuresOf(isWatched: boolean): FeatureGroup[] {
  if (isWatched) return defaultFeatures();
  const others = defaultFeatures().filter(({ name }) => name !== "taste");
  return [...others, taste({ learnFrom: "visits" }), neighbours({ learnFrom: "visits" })];
}

/** Options for a recommender that learns from a log, where they are not given, by what the log has. */
export function settingsOf(
  { kinds, onAir }: LogContents,
  given: Partial<RecommenderOptions>,
): Partial<RecommenderOptions> {
  const isWatched = (kinds.watch ?? 0) + (kinds.heartbeat ?? 0) > 0;
  const { features = featuresOf(isWatched), learner, reward, pending, profile } = given;
  return {
    ...given,
    features,
    learner: { cqlAlpha: CQL_ALPHA, ...learner },
    // Without watching, a click is what there is.
    reward: { ...(!isWatched && { click: 1 }), ...reward },
    pending: { ...(!isWatched && { awaitWatch: false }), ...pending },
    profile: { ...(onAir !== "events" && { streamTimeoutMs: 0 }), ...profile },
  };
}
