export { type GuessedMapping, guessMapping } from "./guess.js";
export { type Sample, sampleOf } from "./sample.js";
