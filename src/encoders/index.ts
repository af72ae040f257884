export { addContent, CONTENT_SIZE, type Content, Contents, MODALITIES, type SavedContents } from "./content.js";
export { type Column, columns, type Encoding, FeatureSet } from "./set.js";
export { BagOfWords, cosine, tokens } from "./text.js";
export { WordTrainer, type WordTrainerOptions } from "./wordvectors/trainer.js";
export { type SavedWordVectors, savedWords, WordVectors } from "./wordvectors/wordvectors.js";
