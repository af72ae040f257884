import {
  defaultFeatures,
  type FeatureGroup,
  neighbours,
  type RecommenderOptions,
  taste,
} from "../../recommender/index.js";
import type { LogContents } from "../decisions/complete.js";

/** Weight of the conservative term for logs. */
export const CQL_ALPHA = 0.3;

/** The default groups, with those that learn who likes what from clicks too where nobody measures watching. */
function featuresOf(isWatched: boolean): FeatureGroup[] {
  if (isWatched) return defaultFeatures();
  const others = defaultFeatures().filter(({ name }) => name !== "taste");
  return [...others, taste({ learnFrom: "visits" }), neighbours({ learnFrom: "visits" })];
}

/** Options for a recommender that learns from a log, where they are not given, by what the log has. */
export function logSettings(
  { kinds, onAir, slates }: LogContents,
  given: Partial<RecommenderOptions>,
): Partial<RecommenderOptions> {
  const isWatched = (kinds.watch ?? 0) + (kinds.heartbeat ?? 0) > 0;
  const { features, learner, reward, pending, profile, slate } = given;
  return {
    ...given,
    features: features ?? featuresOf(isWatched),
    learner: { cqlAlpha: CQL_ALPHA, ...learner },
    // Without watching, a click is what there is, and nothing waits for a watch.
    ...(!isWatched && { reward: { click: 1, ...reward }, pending: { awaitWatch: false, ...pending } }),
    // Visits do not tell how often a user enters nothing.
    ...(slates === "drawn" && { slate: { order: "product", ...slate } }),
    // What goes off is in the log, or told by its completion.
    ...(onAir !== "events" && { profile: { streamTimeoutMs: 0, ...profile } }),
  };
}
