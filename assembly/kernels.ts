/** The second door, for tests and benches only: the kernels by name. */
export { adam } from "./adam";
export { bellman } from "./bellman";
export { gemm, padded } from "./gemm";
export { huber, huberGradient, squared, squaredGradient, tdLoss } from "./loss";
export { packPanels, packTransposed, panelOffset, transpose } from "./pack";
export { below, nextU32, seedRng, uniform, uniformIn } from "./rng";
export { allFinite, argmax, axpy, dot, lerp, scaleMasked, sumSquares } from "./vector";

/** n turns of 12 independent chains of x = x * a + b that touch no memory: what the machine can do at the most. */
export function peak(n: i32): f32 {
  const a = f32x4.splat(0.999);
  const b = f32x4.splat(0.001);
  let x0 = f32x4.splat(1);
  let x1 = x0;
  let x2 = x0;
  let x3 = x0;
  let x4 = x0;
  let x5 = x0;
  let x6 = x0;
  let x7 = x0;
  let x8 = x0;
  let x9 = x0;
  let xa = x0;
  let xb = x0;
  while (n-- > 0) {
    x0 = f32x4.add(f32x4.mul(x0, a), b);
    x1 = f32x4.add(f32x4.mul(x1, a), b);
    x2 = f32x4.add(f32x4.mul(x2, a), b);
    x3 = f32x4.add(f32x4.mul(x3, a), b);
    x4 = f32x4.add(f32x4.mul(x4, a), b);
    x5 = f32x4.add(f32x4.mul(x5, a), b);
    x6 = f32x4.add(f32x4.mul(x6, a), b);
    x7 = f32x4.add(f32x4.mul(x7, a), b);
    x8 = f32x4.add(f32x4.mul(x8, a), b);
    x9 = f32x4.add(f32x4.mul(x9, a), b);
    xa = f32x4.add(f32x4.mul(xa, a), b);
    xb = f32x4.add(f32x4.mul(xb, a), b);
  }
  const low = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  const middle = f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7));
  const high = f32x4.add(f32x4.add(x8, x9), f32x4.add(xa, xb));
  return f32x4.extract_lane(f32x4.add(low, f32x4.add(middle, high)), 0);
}
