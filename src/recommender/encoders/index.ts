export type { ClockEncoding } from "./clock.js";
export type { HashedEncoding, IndicesEncoding, LabelEncoding, OneHotEncoding, TagsEncoding } from "./names.js";
export type {
  AgeEncoding,
  BucketsEncoding,
  LogEncoding,
  MinMaxEncoding,
  QuantilesEncoding,
  RatesEncoding,
  RunningEncoding,
  StandardEncoding,
} from "./numbers.js";
export { type Column, columns, type Encoding, FeatureSet } from "./set.js";
export type { WordVectorsEncoding } from "./vectors.js";
export type { WordsEncoding } from "./words.js";
