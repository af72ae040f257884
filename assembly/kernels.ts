/** The second door, for tests and benches only: the kernels by name. */
export { adam } from "./adam";
export { bellman } from "./bellman";
export { gemm, padded } from "./gemm";
export { huber, huberGradient, squared, squaredGradient, tdLoss } from "./loss";
export { packPanels, packTransposed, panelOffset, transpose } from "./pack";
export { below, nextU32, seedRng, uniform, uniformIn } from "./rng";
export { allFinite, argmax, axpy, dot, lerp, scaleMasked, sumSquares } from "./vector";
