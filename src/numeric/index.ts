export { inverse } from "./cholesky.js";
export { fade } from "./fade.js";
export { hashText } from "./hash.js";
export { cos, exp, log, log1p, pow, sigmoid, sin, tanh } from "./math.js";
export { Random } from "./random.js";
