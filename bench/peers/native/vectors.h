/* One vector of LANES f32 and what the kernels do with it; one source for Wasm, SSE, AVX, AVX-512 and others. */
#pragma once

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define LANES 4
#elif defined(__AVX512F__)
#include <immintrin.h>
#define LANES 16
#elif defined(__AVX__)
#include <immintrin.h>
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float V __attribute__((vector_size(4 * LANES)));
typedef int M __attribute__((vector_size(4 * LANES)));
/* Without a promise of alignment. */
typedef float U __attribute__((vector_size(4 * LANES), aligned(4)));
typedef float F4 __attribute__((vector_size(16)));
typedef float U4 __attribute__((vector_size(16), aligned(4)));

INLINE V get(const float *p) { return *(const U *)p; }
INLINE void put(float *p, V v) { *(U *)p = v; }

#if defined(__wasm_simd128__)
/* clang makes a scalar load and a splat of anything else. */
INLINE V splat_at(const float *p) { return (V)wasm_v128_load32_splat(p); }
INLINE V splat(float x) { return (V)wasm_f32x4_splat(x); }
INLINE V maximum(V a, V b) { return (V)wasm_f32x4_pmax((v128_t)a, (v128_t)b); }
INLINE V root(V a) { return (V)wasm_f32x4_sqrt((v128_t)a); }
INLINE V where_positive(V mask, V v) {
  return (V)wasm_v128_and((v128_t)v, wasm_f32x4_gt((v128_t)mask, wasm_f32x4_splat(0)));
}
INLINE V flushed(V v) {
  return (V)wasm_v128_and((v128_t)v, wasm_f32x4_gt(wasm_f32x4_abs((v128_t)v), wasm_f32x4_splat(1e-30f)));
}
#elif defined(__AVX512F__)
INLINE V splat(float x) { return (V)_mm512_set1_ps(x); }
INLINE V splat_at(const float *p) { return splat(*p); }
INLINE V maximum(V a, V b) { return (V)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE V root(V a) { return (V)_mm512_sqrt_ps((__m512)a); }
INLINE V where_positive(V mask, V v) {
  return (V)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)mask, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)v);
}
INLINE V flushed(V v) {
  return (V)_mm512_maskz_mov_ps(
      _mm512_cmp_ps_mask(_mm512_abs_ps((__m512)v), _mm512_set1_ps(1e-30f), _CMP_GT_OQ), (__m512)v);
}
#elif defined(__AVX__)
INLINE V splat(float x) { return (V)_mm256_set1_ps(x); }
INLINE V splat_at(const float *p) { return (V)_mm256_broadcast_ss(p); }
INLINE V maximum(V a, V b) { return (V)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE V root(V a) { return (V)_mm256_sqrt_ps((__m256)a); }
INLINE V where_positive(V mask, V v) {
  return (V)_mm256_and_ps((__m256)v, _mm256_cmp_ps((__m256)mask, _mm256_setzero_ps(), _CMP_GT_OQ));
}
INLINE V flushed(V v) {
  __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), (__m256)v);
  return (V)_mm256_and_ps((__m256)v, _mm256_cmp_ps(size, _mm256_set1_ps(1e-30f), _CMP_GT_OQ));
}
#else
INLINE V splat(float x) {
  V v = {0};
  for (int i = 0; i < LANES; i++) v[i] = x;
  return v;
}
INLINE V splat_at(const float *p) { return splat(*p); }
INLINE V root(V a) {
  V v = {0};
  for (int i = 0; i < LANES; i++) v[i] = __builtin_sqrtf(a[i]);
  return v;
}
INLINE V where_positive(V mask, V v) { return (V)((M)v & (M)(mask > splat(0))); }
INLINE V maximum(V a, V b) {
  M larger = (M)(a > b);
  return (V)(((M)a & larger) | ((M)b & ~larger));
}
INLINE V flushed(V v) { return (V)((M)v & ((M)(v > splat(1e-30f)) | (M)(v < splat(-1e-30f)))); }
#endif

INLINE float sum_of(V v) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += v[i];
  return sum;
}
