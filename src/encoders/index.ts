export { AGE_EDGES } from "./columns/buckets.js";
export { type FeatureColumn, type FeatureEncoding, FeatureSet } from "./columns/featureset.js";
export { CONTENT_SIZE, type Content, Contents, MODALITIES, type SavedContents } from "./content.js";
export { BagOfWords, bucketOf, cosine, type SavedBagOfWords, tokenize } from "./text.js";
export { WordVectorTrainer, type WordVectorTrainerOptions } from "./wordvectors/trainer.js";
export { type SavedWordVectors, WordVectors } from "./wordvectors/wordvectors.js";
