/**
 * Factorised Gaussian noise on weights: w = mu + sigma * (f(a) f(b)^T), f(x) = sign(x) sqrt(|x|).
 * Fortunato et al. 2018, arXiv:1706.10295.
 */
import { normals, Rng } from "./rng";

/** e(n) = f(normal), n rounded up to `padded` with zeros. */
export function drawNoise(rng: Rng, n: i32, padded: i32, e: usize): void {
  normals(rng, n, e);
  for (let i: usize = 0, end = usize(n) << 2; i < end; i += 4) {
    const x = load<f32>(e + i);
    const root = Mathf.sqrt(abs(x));
    store<f32>(e + i, x < 0 ? -root : root);
  }
  memory.fill(e + (usize(n) << 2), 0, usize(padded - n) << 2);
}

/** w(m,n) = mu(m,n) + sigma(m,n) * (a(m) b(n)^T)   rows of n contiguous f32, n % 4 == 0. */
export function perturb(m: i32, n: i32, mu: usize, sigma: usize, a: usize, b: usize, w: usize): void {
  const bytes = usize(n) << 2;
  for (let i = 0; i < m; i++) {
    const va = v128.load32_splat(a);
    for (let j: usize = 0; j < bytes; j += 16) {
      const e = f32x4.mul(va, v128.load(b + j));
      v128.store(w + j, f32x4.add(v128.load(mu + j), f32x4.mul(v128.load(sigma + j), e)));
    }
    a += 4;
    mu += bytes;
    sigma += bytes;
    w += bytes;
  }
}

/** dsigma(m,n) = dw(m,n) * (a(m) b(n)^T): the gradient of perturb. */
export function noiseGradient(m: i32, n: i32, dw: usize, a: usize, b: usize, dsigma: usize): void {
  const bytes = usize(n) << 2;
  for (let i = 0; i < m; i++) {
    const va = v128.load32_splat(a);
    for (let j: usize = 0; j < bytes; j += 16) {
      v128.store(dsigma + j, f32x4.mul(v128.load(dw + j), f32x4.mul(va, v128.load(b + j))));
    }
    a += 4;
    dw += bytes;
    dsigma += bytes;
  }
}
