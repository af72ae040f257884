/*
 * LiveQ's algorithm in C, for one train step and for inference: hidden weights in panels, one product for forward, dX
 * and dW, the head's gradient for the actions taken alone, ReLU, masks and the maximum over actions in the epilogue of a
 * product, Adam over one block. Without what LiveQ also does for safety (bounds, norms, counters). Tiles fit the
 * registers of the target: LANES of vectors.h.
 */
#include "common.h"
#include "vectors.h"

/* Columns of a panel, and rows of a tile by the number of its column vectors. */
#if LANES == 16
#define PANEL 32
static const int TILE_ROWS[] = {0, 8, 8};
#elif LANES == 8
#define PANEL 16
static const int TILE_ROWS[] = {0, 8, 6};
#else
#define PANEL 16
static const int TILE_ROWS[] = {0, 4, 4, 3, 2};
#endif
#define VECTORS (PANEL / LANES)
#define MOST_ROWS 8

const char *built_by(void) { return COMPILER; }

enum { NONE, RELU, MASK, MAXIMUM };

/* n rounded up to what panels can hold. */
static int padded(int n) {
  int up = (n + LANES - 1) & -LANES;
  return LANES == 4 && (up & 15) == 12 ? up + 4 : up;
}

static int smaller(int a, int b) { return a < b ? a : b; }

/* One k step of a tile of r x v vectors. */
INLINE void step(const int r, const int v, const float *a, long lda, const float *b, V c[MOST_ROWS][VECTORS]) {
  V vb[VECTORS];
#pragma GCC unroll 4
  for (int j = 0; j < v; j++) vb[j] = get(b + j * LANES);
#pragma GCC unroll 8
  for (int i = 0; i < r; i++) {
    V va = splat_at(a + i * lda);
#pragma GCC unroll 4
    for (int j = 0; j < v; j++) c[i][j] += va * vb[j];
  }
}

/* r rows of a panel of v vectors: c = epilogue(init + a b). MAXIMUM: c (rows, LANES) = max(c, the columns' vectors). */
INLINE void tile(
    const int r, const int v, int k, const float *a, long lda, const float *b, float *c, long ldc, const float *init,
    int epilogue, const float *mask) {
  V acc[MOST_ROWS][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < r; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < v; j++) acc[i][j] = init ? get(init + j * LANES) : splat(0);
  }
  const int w = v * LANES;
  /* Unrolled by hand, clang's Wasm is slower by a third in V8; native code is as fast either way. */
  for (; k > 0; k--, a++, b += w) step(r, v, a, lda, b, acc);
#pragma GCC unroll 8
  for (int i = 0; i < r; i++) {
    if (epilogue == MAXIMUM) {
      V most = get(c + i * LANES);
#pragma GCC unroll 4
      for (int j = 0; j < v; j++) most = maximum(most, acc[i][j]);
      put(c + i * LANES, most);
      continue;
    }
#pragma GCC unroll 4
    for (int j = 0; j < v; j++) {
      V x = acc[i][j];
      if (epilogue == RELU) x = maximum(x, splat(0));
      if (epilogue == MASK) x = where_positive(get(mask + i * ldc + j * LANES), x);
      put(c + i * ldc + j * LANES, x);
    }
  }
}

/* All m rows of a panel of v vectors. */
INLINE void panel(
    const int r, const int v, int m, int k, const float *a, long lda, const float *b, float *c, long ldc,
    const float *init, int epilogue, const float *mask) {
  long cstep = epilogue == MAXIMUM ? LANES : ldc;
  for (; m >= r; m -= r, a += r * lda, c += r * cstep, mask += r * ldc)
    tile(r, v, k, a, lda, b, c, ldc, init, epilogue, mask);
  if (r > 4) {
    for (; m >= 4; m -= 4, a += 4 * lda, c += 4 * cstep, mask += 4 * ldc)
      tile(4, v, k, a, lda, b, c, ldc, init, epilogue, mask);
  }
  for (; m > 0; m--, a += lda, c += cstep, mask += ldc) tile(1, v, k, a, lda, b, c, ldc, init, epilogue, mask);
}

#define PANEL_OF(v)                                                                                                   \
  __attribute__((noinline)) static void panel##v(                                                                     \
      int m, int k, const float *a, long lda, const float *b, float *c, long ldc, const float *init, int epilogue,    \
      const float *mask) {                                                                                            \
    panel(TILE_ROWS[v], v, m, k, a, lda, b, c, ldc, init, epilogue, mask);                                            \
  }
PANEL_OF(1)
PANEL_OF(2)
#if VECTORS == 4
PANEL_OF(4)
#endif

/*
 * c(m,n) = epilogue(init(n) + a(m,k) b(k,n)), b in panels of brows rows, n padded. ldc = 0: c in panels of crows rows.
 * MAXIMUM: c (m,LANES) takes the maximum over columns and what it holds.
 */
static void gemm(
    int m, int n, int k, const float *a, long lda, const float *b, int brows, float *c, long ldc, int crows,
    const float *init, int epilogue, const float *mask) {
  for (int j = 0; j < n; j += PANEL) {
    int w = smaller(PANEL, n - j);
    const float *bp = b + (long)j * brows;
    float *cp = epilogue == MAXIMUM ? c : ldc ? c + j : c + (long)j * crows;
    long ld = ldc ? ldc : w;
    const float *start = init ? init + j : 0;
    const float *by = mask ? mask + j : cp;
    if (w == LANES) panel1(m, k, a, lda, bp, cp, ld, start, epilogue, by);
    else if (w == 2 * LANES) panel2(m, k, a, lda, bp, cp, ld, start, epilogue, by);
#if VECTORS == 4
    else panel4(m, k, a, lda, bp, cp, ld, start, epilogue, by);
#endif
  }
}

/* c(n) = relu(init + a(k) b(k,n)) for one row: eight vectors at once hide the latency of an addition. */
static void gemv(int n, int k, const float *a, const float *b, int brows, float *c, const float *init) {
  int j = 0;
  for (; j + 2 * PANEL <= n; j += 2 * PANEL) {
    const float *b0 = b + (long)j * brows;
    const float *b1 = b0 + (long)PANEL * brows;
    V c0[VECTORS], c1[VECTORS];
#pragma GCC unroll 4
    for (int i = 0; i < VECTORS; i++) {
      c0[i] = get(init + j + i * LANES);
      c1[i] = get(init + j + PANEL + i * LANES);
    }
    for (int l = 0; l < k; l++, b0 += PANEL, b1 += PANEL) {
      V va = splat_at(a + l);
#pragma GCC unroll 4
      for (int i = 0; i < VECTORS; i++) {
        c0[i] += va * get(b0 + i * LANES);
        c1[i] += va * get(b1 + i * LANES);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < VECTORS; i++) {
      put(c + j + i * LANES, maximum(c0[i], splat(0)));
      put(c + j + PANEL + i * LANES, maximum(c1[i], splat(0)));
    }
  }
  if (j < n) gemm(1, n - j, k, a, 0, b + (long)j * brows, brows, c + j, n, 0, init + j, RELU, 0);
}

/* dst(n,m) = src(m,n)^T in blocks of 4 x 4; storage for m and n rounded up to 4. */
INLINE void transpose4(const float *src, long lds, float *dst, long ldd) {
  F4 r0 = *(const U4 *)src, r1 = *(const U4 *)(src + lds);
  F4 r2 = *(const U4 *)(src + 2 * lds), r3 = *(const U4 *)(src + 3 * lds);
  F4 t0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), t1 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  F4 t2 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), t3 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  *(U4 *)dst = __builtin_shufflevector(t0, t2, 0, 1, 4, 5);
  *(U4 *)(dst + ldd) = __builtin_shufflevector(t0, t2, 2, 3, 6, 7);
  *(U4 *)(dst + 2 * ldd) = __builtin_shufflevector(t1, t3, 0, 1, 4, 5);
  *(U4 *)(dst + 3 * ldd) = __builtin_shufflevector(t1, t3, 2, 3, 6, 7);
}

static void transpose(int m, int n, const float *src, long lds, float *dst, long ldd) {
  for (int i = 0; i < m; i += 4) {
    for (int j = 0; j < n; j += 4) transpose4(src + i * lds + j, lds, dst + j * ldd + i, ldd);
  }
}

/* dst = panels of src(m,n). */
static void pack(int m, int n, const float *src, long lds, float *dst) {
  for (int j = 0; j < n; j += PANEL) {
    int w = smaller(PANEL, n - j);
    for (int i = 0; i < m; i++, dst += w) {
      for (int x = 0; x < w; x += LANES) put(dst + x, get(src + i * lds + j + x));
    }
  }
}

/* Rows row.. of panels of src(m,n)^T, which have `rows` rows each; src has padded(m) rows. */
static void pack_transposed(int m, int n, const float *src, long lds, float *dst, int rows, int row) {
  int columns = padded(m);
  for (int i = 0; i < columns; i += 4) {
    int first = i / PANEL * PANEL;
    int w = smaller(PANEL, columns - first);
    float *d = dst + (long)first * rows + (long)w * row + (i - first);
    for (int j = 0; j < n; j += 4) transpose4(src + i * lds + j, lds, d + (long)j * w, w);
  }
}

static float dot(int n, const float *a, const float *b) {
  V s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    s0 += get(a + i) * get(b + i);
    s1 += get(a + i + LANES) * get(b + i + LANES);
    s2 += get(a + i + 2 * LANES) * get(b + i + 2 * LANES);
    s3 += get(a + i + 3 * LANES) * get(b + i + 3 * LANES);
  }
  for (; i < n; i += LANES) s0 += get(a + i) * get(b + i);
  return sum_of((s0 + s1) + (s2 + s3));
}

struct layer {
  int inputs, outputs, rows, columns;
  /* Offsets in a block of parameters. */
  long weight, bias;
  /* (batch, columns) */
  float *output;
};

static struct layer layers[MAX_LAYERS];
static struct layer *head;
static long block;
static float *online, *target, *gradient, *moment1, *moment2;
static float *x, *next_x, *transposed, *packed, *turned, *delta, *delta_below, *most, *panels, *own_panels, *values;
static int *drawn;
static int own_panels_are_current;
static double power1, power2;

/* Rows of a batch, of staged rows, and a margin for blocks of 4. */
static long height(void) {
  int rows = sizes[BATCH] > STAGED_ROWS ? sizes[BATCH] : STAGED_ROWS;
  return (rows + 3) & ~3;
}

static void describe(void) {
  block = 0;
  for (int l = 0; l <= sizes[HIDDEN]; l++) {
    struct layer *layer = &layers[l];
    layer->inputs = inputs_of(l);
    layer->outputs = outputs_of(l);
    layer->rows = padded(layer->inputs);
    layer->columns = padded(layer->outputs);
    layer->weight = block;
    layer->bias = block + (long)layer->rows * layer->columns;
    block = layer->bias + layer->columns;
  }
  head = &layers[sizes[HIDDEN]];
}

int create(void) {
  describe();
  long most_columns = 0, most_weights = 0, outputs = 0, b = height();
  for (int l = 0; l <= sizes[HIDDEN]; l++) {
    long weights = (long)layers[l].rows * layers[l].columns;
    if (layers[l].columns > most_columns) most_columns = layers[l].columns;
    if (layers[l].rows > most_columns) most_columns = layers[l].rows;
    if (weights > most_weights) most_weights = weights;
    outputs += layers[l].columns;
  }
  long row = layers[0].rows;
  long words = 5 * block + 2 * b * row + 5 * b * most_columns + 3 * most_weights + b * outputs + 17 * b + b * head->columns + most_columns;
  if (!take_all(array_bytes() + 4 * (size_t)words + 64 * 64)) return 0;
  take_arrays();
  online = take(4 * block);
  target = take(4 * block);
  gradient = take(4 * block);
  moment1 = take(4 * block);
  moment2 = take(4 * block);
  x = take(4 * (b * row + 16));
  next_x = take(4 * (b * row + 16));
  transposed = take(4 * (b * most_columns + 16));
  packed = take(4 * b * most_columns);
  delta = take(4 * b * most_columns);
  delta_below = take(4 * b * most_columns);
  turned = take(4 * most_weights);
  panels = take(4 * (most_weights + most_columns));
  own_panels = take(4 * most_weights);
  for (int l = 0; l < sizes[HIDDEN]; l++) layers[l].output = take(4 * b * layers[l].columns);
  most = take(4 * b * LANES);
  values = take(4 * b * head->columns);
  drawn = take(4 * b);
  return drawn != 0;
}

/* Where weight (i, j), from input i to output j, lies in a block. */
static long weight_at(const struct layer *layer, int i, int j) {
  if (layer == head) return layer->weight + (long)layer->rows * j + i;
  int first = j / PANEL * PANEL;
  int w = smaller(PANEL, layer->columns - first);
  return layer->weight + (long)first * layer->rows + (long)i * w + (j - first);
}

/* Between a block and plain numbers. */
static void convert(float *params, int is_loading) {
  float *plain = arrays[PARAMETERS];
  for (int l = 0; l <= sizes[HIDDEN]; l++) {
    struct layer *layer = &layers[l];
    for (int j = 0; j < layer->outputs; j++) {
      for (int i = 0; i < layer->inputs; i++, plain++) {
        float *at = params + weight_at(layer, i, j);
        if (is_loading) *at = *plain;
        else *plain = *at;
      }
    }
    for (int j = 0; j < layer->outputs; j++, plain++) {
      if (is_loading) params[layer->bias + j] = *plain;
      else *plain = params[layer->bias + j];
    }
  }
}

/* A head in panels; the bias behind it keeps padding out of a maximum. */
static void pack_head(const float *params, float *to) {
  pack_transposed(head->outputs, head->rows, params + head->weight, head->rows, to, head->rows, 0);
}

void load(void) {
  convert(online, 1);
  __builtin_memcpy(target, online, 4 * block);
  __builtin_memset(moment1, 0, 4 * block);
  __builtin_memset(moment2, 0, 4 * block);
  pack_head(target, panels);
  for (int j = head->outputs; j < head->columns; j++) target[head->bias + j] = -1e30f;
  own_panels_are_current = 0;
  power1 = power2 = 1;
  seed_rng();
}

void unload(void) { convert(online, 0); }

/* Hidden layers for rows of inputs; returns the last output. */
static const float *forward(const float *params, int rows, const float *in, long ld) {
  for (int l = 0; l < sizes[HIDDEN]; l++) {
    struct layer *layer = &layers[l];
    const float *w = params + layer->weight;
    int n = layer->columns;
    if (rows == 1) gemv(n, layer->inputs, in, w, layer->rows, layer->output, params + layer->bias);
    else gemm(rows, n, layer->inputs, in, ld, w, layer->rows, layer->output, n, 0, params + layer->bias, RELU, 0);
    in = layer->output;
    ld = n;
  }
  return in;
}

/* most(row) = the largest value of each next state. */
static void next_values(void) {
  int b = sizes[BATCH];
  const float *h = forward(target, b, next_x, layers[0].rows);
  for (int i = 0; i < b * LANES; i += LANES) put(most + i, splat(-1e30f));
  const float *bias = target + head->bias;
  gemm(b, head->columns, head->inputs, h, head->rows, panels, head->rows, most, 0, 0, bias, MAXIMUM, 0);
}

/* The loss; the head's gradient, and delta of the last hidden layer. */
static float head_step(const float *h) {
  int b = sizes[BATCH], n = head->rows;
  double total = 0;
  __builtin_memset(gradient + head->weight, 0, 4 * (block - head->weight));
  for (int i = 0; i < b; i++, h += n) {
    int action = ((int *)arrays[TAKEN])[drawn[i]];
    const float *w = online + head->weight + (long)action * n;
    float *dw = gradient + head->weight + (long)action * n;
    float best = most[i * LANES];
    for (int j = 1; j < LANES; j++) best = most[i * LANES + j] > best ? most[i * LANES + j] : best;
    float d = dot(n, h, w) + online[head->bias + action] - bellman(drawn[i], best);
    float g = huber_gradient(d) / b;
    V vg = splat(g);
    total += huber(d);
    gradient[head->bias + action] += g;
    float *out = delta + (long)i * n;
    for (int j = 0; j < n; j += LANES) {
      V vh = get(h + j);
      put(dw + j, get(dw + j) + vg * vh);
      put(out + j, where_positive(vh, vg * get(w + j)));
    }
  }
  return total / b;
}

/* The gradient of a hidden layer for its input. */
static void layer_gradient(const struct layer *layer, const float *in, long ld) {
  int b = sizes[BATCH], n = layer->columns, k = layer->inputs;
  long ldt = (b + 3) & ~3;
  pack(b, n, delta, n, packed);
  transpose(b, k, in, ld, transposed, ldt);
  gemm(k, n, b, transposed, ldt, packed, b, gradient + layer->weight, 0, layer->rows, 0, NONE, 0);
  for (int j = 0; j < n; j += LANES) {
    V s = get(delta + j);
    for (int i = 1; i < b; i++) s += get(delta + (long)i * n + j);
    put(gradient + layer->bias + j, s);
  }
}

/* delta of the layer below, whose outputs are `in`. */
static void layer_backward(const struct layer *layer, const float *in) {
  int b = sizes[BATCH], n = layer->columns, k = layer->rows;
  for (int j = 0; j < n; j += PANEL) {
    int w = smaller(PANEL, n - j);
    pack_transposed(layer->inputs, w, online + layer->weight + (long)j * k, w, turned, n, j);
  }
  gemm(b, k, layer->outputs, delta, n, turned, n, delta_below, k, 0, 0, MASK, in);
  float *spare = delta;
  delta = delta_below;
  delta_below = spare;
}

static void adam(void) {
  power1 *= hyper[1];
  power2 *= hyper[2];
  double bias2 = __builtin_sqrt(1 - power2);
  V alpha = splat(hyper[0] * bias2 / (1 - power1)), epsilon = splat(hyper[3] * bias2);
  V beta1 = splat(hyper[1]), beta2 = splat(hyper[2]), rest1 = splat(1 - hyper[1]), rest2 = splat(1 - hyper[2]);
  for (long i = 0; i < block; i += LANES) {
    V g = get(gradient + i);
    /* Without this, moments of unused weights decay to denormals. */
    V m = flushed(get(moment1 + i) * beta1 + g * rest1);
    V v = get(moment2 + i) * beta2 + g * g * rest2;
    put(moment1 + i, m);
    put(moment2 + i, v);
    put(online + i, get(online + i) - m * alpha / (root(v) + epsilon));
  }
}

static float update(void) {
  int b = sizes[BATCH], n = sizes[OBSERVATION];
  long ld = layers[0].rows;
  for (int i = 0; i < b; i++) drawn[i] = below(sizes[CAPACITY]);
  for (int i = 0; i < b; i++) {
    __builtin_memcpy(x + i * ld, (float *)arrays[OBSERVATIONS] + (long)drawn[i] * n, 4 * n);
    __builtin_memcpy(next_x + i * ld, (float *)arrays[NEXT_OBSERVATIONS] + (long)drawn[i] * n, 4 * n);
  }
  next_values();
  float loss = head_step(forward(online, b, x, ld));
  for (int l = sizes[HIDDEN] - 1; l > 0; l--) {
    const float *in = layers[l - 1].output;
    layer_gradient(&layers[l], in, layers[l].rows);
    layer_backward(&layers[l], in);
  }
  layer_gradient(&layers[0], x, ld);
  adam();
  own_panels_are_current = 0;
  return loss;
}

float train(int count) {
  float loss = 0;
  for (int i = 0; i < count; i++) loss = update();
  return loss;
}

/* The index of the largest of n values, the lowest of equals. */
static int best_of(int n, const float *q) {
  int i = 0;
  float best = q[0];
  if (n >= LANES) {
    V largest = get(q);
    for (i = LANES; i + LANES <= n; i += LANES) largest = maximum(largest, get(q + i));
    best = largest[0];
    for (int j = 1; j < LANES; j++) best = largest[j] > best ? largest[j] : best;
  }
  for (; i < n; i++) best = q[i] > best ? q[i] : best;
  for (i = 0; i < n - 1 && q[i] != best; i++);
  return i;
}

void act(int count) {
  for (int i = 0; i < count; i++) {
    const float *h = forward(online, 1, arrays[STAGED], 0);
    const float *w = online + head->weight;
    for (int a = 0; a < head->outputs; a++, w += head->rows)
      values[a] = dot(head->rows, h, w) + online[head->bias + a];
    ((int *)arrays[CHOSEN])[0] = best_of(head->outputs, values);
  }
}

void act_rows(int count) {
  int n = head->columns;
  for (int i = 0; i < count; i++) {
    if (!own_panels_are_current) pack_head(online, own_panels);
    own_panels_are_current = 1;
    const float *h = forward(online, STAGED_ROWS, arrays[STAGED], sizes[OBSERVATION]);
    gemm(STAGED_ROWS, n, head->inputs, h, head->rows, own_panels, head->rows, values, n, 0, online + head->bias, NONE, 0);
    for (int row = 0; row < STAGED_ROWS; row++)
      ((int *)arrays[CHOSEN])[row] = best_of(head->outputs, values + (long)row * n);
  }
}
