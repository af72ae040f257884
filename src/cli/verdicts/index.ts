export { calibrationOf, type Predicted } from "./returns.js";
export { adviceOf, dataOf, gainOf, type Learned, type Paired, unsupported, verdict } from "./verdict.js";
