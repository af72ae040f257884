/* The textbook's dense train step in C, with OpenBLAS for every product. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static float *online, *target, *gradient, *moment1, *moment2;
static float *outputs[MAX_LAYERS + 1], *next_outputs[MAX_LAYERS + 1], *deltas[MAX_LAYERS + 1];
static int *drawn;
static long offsets[MAX_LAYERS];
static double power1, power2;

/* OpenBLAS says "OpenBLAS 0.3.21 ...". */
const char *built_by(void) {
  static char text[200];
  int words = 0;
  const char *config = openblas_get_config();
  size_t n = 0;
  while (config[n] && (config[n] != ' ' || ++words < 2) && n < 100) n++;
  snprintf(text, sizeof text, "%.*s for %s, %s", (int)n, config, openblas_get_corename(), COMPILER);
  return text;
}

int create(void) {
  long n = 0, b = sizes[BATCH] > STAGED_ROWS ? sizes[BATCH] : STAGED_ROWS, words = sizes[OBSERVATION];
  for (int l = 0; l <= sizes[HIDDEN]; l++) {
    offsets[l] = n;
    n += (long)(inputs_of(l) + 1) * outputs_of(l);
    words += outputs_of(l);
  }
  if (!take_all(array_bytes() + 4 * (5 * n + 3 * b * words + b) + 64 * 64)) return 0;
  take_arrays();
  float **blocks[] = {&online, &target, &gradient, &moment1, &moment2};
  for (int i = 0; i < 5; i++) *blocks[i] = take(4 * n);
  for (int l = 0; l <= sizes[HIDDEN] + 1; l++) {
    int width = l == 0 ? sizes[OBSERVATION] : outputs_of(l - 1);
    outputs[l] = take(4 * b * width);
    next_outputs[l] = take(4 * b * width);
    deltas[l] = take(4 * b * width);
  }
  drawn = take(4 * b);
  return drawn != 0;
}

void load(void) {
  size_t bytes = 4 * (size_t)parameters();
  memcpy(online, arrays[PARAMETERS], bytes);
  memcpy(target, arrays[PARAMETERS], bytes);
  memset(moment1, 0, bytes);
  memset(moment2, 0, bytes);
  power1 = power2 = 1;
  seed_rng();
}

void unload(void) { memcpy(arrays[PARAMETERS], online, 4 * (size_t)parameters()); }

/* y[l + 1] = relu(y[l] W^T + b), without ReLU at the end; y[0] are the inputs. */
static void forward(const float *params, int rows, float **y) {
  for (int l = 0; l <= sizes[HIDDEN]; l++) {
    int k = inputs_of(l), n = outputs_of(l);
    const float *w = params + offsets[l], *bias = w + (long)k * n;
    if (rows == 1) cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1, w, k, y[l], 1, 0, y[l + 1], 1);
    else cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, n, k, 1, y[l], k, w, k, 0, y[l + 1], n);
    for (int i = 0; i < rows; i++) {
      float *out = y[l + 1] + (long)i * n;
      if (l == sizes[HIDDEN]) for (int j = 0; j < n; j++) out[j] += bias[j];
      else for (int j = 0; j < n; j++) out[j] = out[j] + bias[j] > 0 ? out[j] + bias[j] : 0;
    }
  }
}

/* The index of the largest of n values, the lowest of equals. */
static int best_of(int n, const float *q) {
  float best = q[0];
  for (int i = 1; i < n; i++) best = q[i] > best ? q[i] : best;
  int i = 0;
  while (i < n - 1 && q[i] != best) i++;
  return i;
}

static void backward(void) {
  int b = sizes[BATCH];
  for (int l = sizes[HIDDEN]; l >= 0; l--) {
    int k = inputs_of(l), n = outputs_of(l);
    float *dw = gradient + offsets[l], *db = dw + (long)k * n, *dy = deltas[l + 1], *dx = deltas[l];
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, k, b, 1, dy, n, outputs[l], k, 0, dw, k);
    memset(db, 0, 4 * (size_t)n);
    for (int i = 0; i < b; i++) for (int j = 0; j < n; j++) db[j] += dy[(long)i * n + j];
    if (l == 0) break;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, b, k, n, 1, dy, n, online + offsets[l], k, 0, dx, k);
    for (long i = 0; i < (long)b * k; i++) dx[i] = outputs[l][i] > 0 ? dx[i] : 0;
  }
}

static void adam(void) {
  int n = parameters();
  power1 *= hyper[1];
  power2 *= hyper[2];
  double bias2 = sqrt(1 - power2);
  float alpha = hyper[0] * bias2 / (1 - power1), epsilon = hyper[3] * bias2;
  float beta1 = hyper[1], beta2 = hyper[2], rest1 = 1 - hyper[1], rest2 = 1 - hyper[2];
  float *restrict w = online, *restrict m = moment1, *restrict v = moment2;
  const float *restrict g = gradient;
  for (int i = 0; i < n; i++) {
    m[i] = beta1 * m[i] + rest1 * g[i];
    v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
    w[i] -= alpha * m[i] / (sqrtf(v[i]) + epsilon);
  }
}

static float update(void) {
  int b = sizes[BATCH], n = sizes[OBSERVATION], actions = sizes[ACTIONS], last = sizes[HIDDEN] + 1;
  for (int i = 0; i < b; i++) drawn[i] = below(sizes[CAPACITY]);
  for (int i = 0; i < b; i++) {
    memcpy(outputs[0] + (long)i * n, (float *)arrays[OBSERVATIONS] + (long)drawn[i] * n, 4 * (size_t)n);
    memcpy(next_outputs[0] + (long)i * n, (float *)arrays[NEXT_OBSERVATIONS] + (long)drawn[i] * n, 4 * (size_t)n);
  }
  forward(target, b, next_outputs);
  forward(online, b, outputs);
  double total = 0;
  memset(deltas[last], 0, 4 * (size_t)b * actions);
  for (int i = 0; i < b; i++) {
    const float *next = next_outputs[last] + (long)i * actions;
    long at = (long)i * actions + ((int *)arrays[TAKEN])[drawn[i]];
    float d = outputs[last][at] - bellman(drawn[i], next[best_of(actions, next)]);
    total += huber(d);
    deltas[last][at] = huber_gradient(d) / b;
  }
  backward();
  adam();
  return total / b;
}

float train(int count) {
  float loss = 0;
  for (int i = 0; i < count; i++) loss = update();
  return loss;
}

static void choose(int rows, int count) {
  int n = sizes[ACTIONS];
  float *inputs = outputs[0];
  outputs[0] = arrays[STAGED];
  for (int i = 0; i < count; i++) {
    forward(online, rows, outputs);
    for (int row = 0; row < rows; row++)
      ((int *)arrays[CHOSEN])[row] = best_of(n, outputs[sizes[HIDDEN] + 1] + (long)row * n);
  }
  outputs[0] = inputs;
}

void act(int count) { choose(1, count); }

void act_rows(int count) { choose(STAGED_ROWS, count); }
