import { type SavedWordVectors, WordVectors } from "../../src/encoders/index.js";
import {
  type ColumnOptions,
  columns,
  content,
  coreFeatures,
  type FeatureGroup,
  moments,
  neighbours,
  pages,
  social,
  taste,
  traits,
  vectors,
} from "../../src/recommender/features/index.js";
import type { VectorOptions } from "../../src/recommender/state/index.js";

/** Every group of features that there is, with word vectors and columns. */
export function everyGroup({
  words = { size: 1, words: [], counts: [], rows: [] },
  size = 16,
  ...given
}: { words?: SavedWordVectors } & ColumnOptions & Partial<VectorOptions> = {}): FeatureGroup[] {
  return [
    ...coreFeatures(),
    ...[traits(), pages(), social(), moments(), neighbours()],
    ...[taste({ size }), vectors({ size }), content({ words: new WordVectors(words) }), columns(given)],
  ];
}
