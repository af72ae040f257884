import {
  type ColumnOptions,
  type ContentOptions,
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
  words,
  size = 16,
  ...given
}: ContentOptions & ColumnOptions & Partial<VectorOptions> = {}): FeatureGroup[] {
  return [
    ...coreFeatures(),
    ...[traits(), pages(), social(), moments(), neighbours()],
    ...[taste({ size }), vectors({ size }), content(words === undefined ? {} : { words }), columns(given)],
  ];
}
