import { WEIGHT_MAX } from "./abi";
import { announce, ARGUMENTS, begins, done, finish, Job, WORTH } from "./crew";

/**
 * Constants of a call. They go through memory because V8 moves the computation of a constant into the loop that reads it:
 * Node 20 divides and takes roots of f64 for every vector then, at three times the time.
 */
const CONSTANTS: usize = memory.data(44, 16);

// @ts-ignore: decorator
@inline
function set(i: i32, value: f32): void {
  store<f32>(CONSTANTS + (usize(i) << 2), value);
}

// @ts-ignore: decorator
@inline
function splat(i: i32): v128 {
  return v128.load32_splat(CONSTANTS + (usize(i) << 2));
}

/**
 * Adam over n f32: m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= lr * (m / c1) / (sqrt(v / c2) + eps)
 * with c = 1 - b^t and g = scale * gradient; eps stands outside the root and after the bias correction, as in PyTorch.
 * Weights are held in [-WEIGHT_MAX, WEIGHT_MAX], so that every saved agent can be loaded.
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
  set(0, f32((learningRate * root) / (1 - beta1Power)));
  set(1, f32(epsilon * root));
  set(2, f32(beta1));
  set(3, f32(beta2));
  set(4, f32(1 - beta1));
  set(5, f32(1 - beta2));
  set(6, scale);
  set(7, f32(1 - learningRate * weightDecay));
  set(8, 1e-30);
  set(9, f32(WEIGHT_MAX));
  set(10, -f32(WEIGHT_MAX));
  const job = step();
  job.n = n;
  job.w = w;
  job.g = g;
  job.m = m;
  job.v = v;
  announce(Job.Adam, n >= WORTH >> 3);
  adamShare(0);
  for (let part = finish(); part > 0; part = finish()) {
    adamShare(part);
    done();
  }
}

/** The arguments of a step beside its constants. */
@unmanaged
class Step {
  n: i32;
  w: usize;
  g: usize;
  m: usize;
  v: usize;
}

// @ts-ignore: decorator
@inline
function step(): Step {
  return changetype<Step>(ARGUMENTS);
}

/** A share of the numbers that were announced. */
export function adamShare(part: i32): void {
  const job = step();
  const from = begins(job.n, part, 16);
  const at = usize(from) << 2;
  steps(begins(job.n, part + 1, 16) - from, job.w + at, job.g + at, job.m + at, job.v + at);
}

/** The steps of n f32 with the constants in place. */
function steps(n: i32, w: usize, g: usize, m: usize, v: usize): void {
  const vAlpha = splat(0);
  const vEpsilon = splat(1);
  const vBeta1 = splat(2);
  const vBeta2 = splat(3);
  const vRest1 = splat(4);
  const vRest2 = splat(5);
  const vScale = splat(6);
  const vKept = splat(7);
  const vTiny = splat(8);
  const vHigh = splat(9);
  const vLow = splat(10);
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
