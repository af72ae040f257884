/**
 * Slates: of the candidates shown, a user enters one or nothing, each in proportion to its weight v = exp(u), that of
 * nothing being 1. An array over nothing and c candidates has c + 1 entries and begins with nothing: with the value of a
 * state in which nothing was entered. Ie et al. 2019, arXiv:1905.12767.
 */
import { conservative } from "./loss";
import { exp } from "./math";

/** Of |u|, where v is needed: sums of weights stay finite, and precise enough for the 1 of nothing. */
const MOST: f64 = 20;

/** rows(m,n+1) = [theta | u] row by row becomes theta(m,n) in its place, and u(m). */
export function splitChoices(m: i32, n: i32, rows: usize, u: usize): void {
  const bytes = usize(n) << 2;
  for (let i: usize = 0; i < usize(m); i++) {
    const from = rows + i * (bytes + 4);
    store<f32>(u + (i << 2), load<f32>(from + bytes));
    memory.copy(rows + i * bytes, from, bytes);
  }
}

/** The inverse: theta(m,n) becomes rows(m,n+1) in its place. */
export function joinChoices(m: i32, n: i32, rows: usize, u: usize): void {
  const bytes = usize(n) << 2;
  for (let i = usize(m); i-- > 0; ) {
    const to = rows + i * (bytes + 4);
    memory.copy(to, rows + i * bytes, bytes);
    store<f32>(to + bytes, load<f32>(u + (i << 2)));
  }
}

/** v(c+1) = exp(u), |u| at most 20, in place; that of nothing is 1 whatever its u. */
export function choiceWeights(c: i32, v: usize): void {
  store<f32>(v, 1);
  for (let at = v + 4, end = at + (usize(c) << 2); at < end; at += 4) {
    store<f32>(at, f32(exp(max(-MOST, min(MOST, f64(load<f32>(at)))))));
  }
}

/**
 * The slate of k of c candidates that is worth most, found greedily: each step adds the one that makes
 * sum of v q / sum of v, over nothing and the slate, largest; also where it falls. The lowest index wins a tie.
 * q, v: (c+1); taken: scratch, u8 (c); chosen: i32 (k). Requires k <= c.
 */
export function greedySlate(c: i32, k: i32, q: usize, v: usize, taken: usize, chosen: usize): void {
  memory.fill(taken, 0, c);
  let top = f64(load<f32>(q));
  let bottom: f64 = 1;
  for (let i = 0; i < k; i++) {
    let best = -1;
    let most: f64 = 0;
    for (let a = 0; a < c; a++) {
      if (load<u8>(taken + a)) continue;
      const at = usize(a + 1) << 2;
      const weight = f64(load<f32>(v + at));
      const value = (top + weight * load<f32>(q + at)) / (bottom + weight);
      if (best < 0 || value > most) {
        best = a;
        most = value;
      }
    }
    store<u8>(taken + best, 1);
    store<i32>(chosen + (usize(i) << 2), best);
    const at = usize(best + 1) << 2;
    const weight = f64(load<f32>(v + at));
    top += weight * load<f32>(q + at);
    bottom += weight;
  }
}

/**
 * y(n) = sum of v theta / sum of v over nothing and the k chosen ones, for each quantile by itself: the i-th of the
 * mixture is the mixture of the i-th. theta(c+1,n), v(c+1); chosen: i32 (k), or 0 for the first k.
 */
export function mixture(k: i32, n: i32, chosen: usize, theta: usize, v: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    let top = f64(load<f32>(theta + (usize(i) << 2)));
    let bottom: f64 = 1;
    for (let j = 0; j < k; j++) {
      const row = 1 + (chosen ? load<i32>(chosen + (usize(j) << 2)) : j);
      const weight = f64(load<f32>(v + (usize(row) << 2)));
      top += weight * load<f32>(theta + (usize(row * n + i) << 2));
      bottom += weight;
    }
    store<f32>(y + (usize(i) << 2), f32(top / bottom));
  }
}

/**
 * The conservative term of a slate: scale times the mean over its k places of -log P, P the chance that a softmax of
 * q over the c candidates puts the shown one there, given those above it; they come first, in the order of the slate.
 * Nothing has no part: no policy shows it. Its gradient is added to d(c+1,n). q(c+1); p(c): scratch. Requires k <= c.
 * Plackett 1975; with k = 1 the term of Kumar et al. 2020.
 */
export function conservativeSlate(c: i32, k: i32, n: i32, q: usize, scale: f32, p: usize, d: usize): f32 {
  let term: f32 = 0;
  for (let i = 0; i < k; i++) {
    q += 4;
    d += usize(n) << 2;
    term += conservative(c - i, n, q, 0, scale / f32(k), p, d);
  }
  return term;
}

/**
 * The cross-entropy of a choice among nothing and c candidates, a conditional logit: scale * (log(1 + sum of exp u) - u of
 * the chosen one), whose gradient is added to du(c+1). u(c+1): that of nothing is set to 0; action: -1 for nothing;
 * p(c+1): scratch. Requires du = 0 for nothing.
 * McFadden 1974.
 */
export function choiceLoss(c: i32, u: usize, action: i32, scale: f32, p: usize, du: usize): f32 {
  store<f32>(u, 0);
  const loss = conservative(c + 1, 1, u, action + 1, scale, p, du);
  store<f32>(du, 0);
  return loss;
}
