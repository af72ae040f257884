export { type Attempt, Attempts, shareFor, WAYS } from "./attempts.js";
export { chosen, type Judged, lossOf } from "./choice.js";
export { cellsOf, compareWays, figuresOf, percent, statesIn } from "./comparison.js";
export { ENVIRONMENTS, environmentOf, play, statesOf } from "./tasks.js";
