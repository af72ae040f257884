export { inverse } from "./cholesky.js";
export { exponential, lognormal, poisson, weibull, weightedIndex } from "./distributions.js";
export { fade } from "./fade.js";
export { hashText, hashText64 } from "./hash.js";
export { cos, exp, log, log1p, pow, sigmoid, sin, tanh } from "./math.js";
export { Random } from "./random.js";
