/** C(m,n) = init(m,n) + A(m,k) B(k,n)   row-major f64: the naive twin of gemm. */
export function naiveGemm(
  m: number,
  n: number,
  k: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  init: ArrayLike<number>,
) {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init[i * n + j]!;
      for (let x = 0; x < k; x++) sum += a[i * k + x]! * b[x * n + j]!;
      c[i * n + j] = sum;
    }
  }
  return c;
}
