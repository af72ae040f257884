import { WEIGHT_MAX } from "./abi";

/**
 * Adam over n f32: m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= lr * (m / c1) / (sqrt(v / c2) + eps)
 * with c = 1 - b^t and g = scale * gradient; eps stands outside the root and after the bias correction, as in PyTorch.
 * Weights are held in [-WEIGHT_MAX, WEIGHT_MAX], so that what was saved can be loaded.
 * Requires n % 4 == 0, |scale * gradient| <= GRADIENT_MAX and epsilon >= 1e-12: then no moment leaves its bound. A first moment below 1e-30 becomes 0: without that it decays to
 * denormals and stays there, at twice the time for each later step. Kingma & Ba 2015, arXiv:1412.6980.
 * weightDecay: w -= lr * weightDecay * w before the step, biases included, as PyTorch's AdamW. Loshchilov & Hutter 2019.
 */
export function adam(
  n: i32,
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  scale: f32,
  learningRate: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  beta1Power: f64,
  beta2Power: f64,
  weightDecay: f64,
): void {
  const root = Math.sqrt(1 - beta2Power);
  const vAlpha = f32x4.splat(f32((learningRate * root) / (1 - beta1Power)));
  const vEpsilon = f32x4.splat(f32(epsilon * root));
  const vBeta1 = f32x4.splat(f32(beta1));
  const vBeta2 = f32x4.splat(f32(beta2));
  const vRest1 = f32x4.splat(f32(1 - beta1));
  const vRest2 = f32x4.splat(f32(1 - beta2));
  const vScale = f32x4.splat(scale);
  const vKept = f32x4.splat(f32(1 - learningRate * weightDecay));
  const vTiny = f32x4.splat(1e-30);
  const vHigh = f32x4.splat(f32(WEIGHT_MAX));
  const vLow = f32x4.splat(-f32(WEIGHT_MAX));
  while (n > 0) {
    const vg = f32x4.mul(vScale, v128.load(g));
    let vm = f32x4.add(f32x4.mul(v128.load(m), vBeta1), f32x4.mul(vg, vRest1));
    const vv = f32x4.add(f32x4.mul(v128.load(v), vBeta2), f32x4.mul(f32x4.mul(vg, vg), vRest2));
    vm = v128.and(vm, f32x4.gt(f32x4.abs(vm), vTiny));
    v128.store(m, vm);
    v128.store(v, vv);
    const step = f32x4.div(f32x4.mul(vm, vAlpha), f32x4.add(f32x4.sqrt(vv), vEpsilon));
    const vw = f32x4.sub(f32x4.mul(v128.load(w), vKept), step);
    v128.store(w, f32x4.pmax(f32x4.pmin(vw, vHigh), vLow));
    w += 16;
    g += 16;
    m += 16;
    v += 16;
    n -= 4;
  }
}
