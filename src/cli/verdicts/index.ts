export { adviceOf, dataOf, gainOf, type Learned, type Paired, unsupported, verdict } from "./verdict.js";
