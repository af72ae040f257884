import type { Request } from "../protocol/index.js";
import type { CatalogStream } from "../recommender/state/index.js";
import { ScoringPolicy } from "./baseline.js";

/** Shows the streams with the most viewers by the last `update` of each; the same to every user. */
export class PopularPolicy extends ScoringPolicy {
  readonly name = "popular";

  protected override score(_request: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    for (let i = 0; i < streams.length; i++) scores[i] = streams[i]!.viewers;
  }
}
