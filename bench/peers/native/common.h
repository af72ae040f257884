/* What both C peers need: settings, memory, LiveQ's generator. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#if defined(__clang__)
#define COMPILER "clang " TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT(__clang_patchlevel__)
#else
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#endif

static int sizes[SETTINGS];
static double hyper[4];
static void *arrays[ARRAYS];

int *settings(void) { return sizes; }
double *rates(void) { return hyper; }
void *array(int which) { return arrays[which]; }

static int inputs_of(int layer) { return layer == 0 ? sizes[OBSERVATION] : sizes[WIDTHS + layer - 1]; }
static int outputs_of(int layer) { return layer == sizes[HIDDEN] ? sizes[ACTIONS] : sizes[WIDTHS + layer]; }

int parameters(void) {
  int n = 0;
  for (int l = 0; l <= sizes[HIDDEN]; l++) n += (inputs_of(l) + 1) * outputs_of(l);
  return n;
}

/* Zeroed memory that is never freed, aligned to a cache line; once it runs out, 0 for good. */
static char *top;
static char *end;

#if defined(__wasm__)
extern char __heap_base;

static int take_all(size_t bytes) {
  size_t first = ((size_t)&__heap_base + 63) & ~(size_t)63;
  size_t pages = (first + bytes + 65535) >> 16;
  size_t have = __builtin_wasm_memory_size(0);
  if (pages > have && __builtin_wasm_memory_grow(0, pages - have) == (size_t)-1) return 0;
  top = (char *)first;
  end = top + bytes;
  return 1;
}
#else
#include <stdlib.h>

static int take_all(size_t bytes) {
  bytes = (bytes + 63) & ~(size_t)63;
  top = aligned_alloc(64, bytes);
  if (!top) return 0;
  __builtin_memset(top, 0, bytes);
  end = top + bytes;
  return 1;
}
#endif

static void *take(size_t bytes) {
  char *at = top;
  top += (bytes + 63) & ~(size_t)63;
  return top <= end ? at : 0;
}

/* Bytes of the arrays; with a margin for vectors that end behind a row. */
static size_t array_bytes(void) {
  size_t rows = (size_t)sizes[CAPACITY] * (2 * (size_t)sizes[OBSERVATION] + 3);
  return 4 * (rows + parameters() + STAGED_ROWS * ((size_t)sizes[OBSERVATION] + 1)) + ARRAYS * 128;
}

static void take_arrays(void) {
  size_t n = sizes[CAPACITY];
  arrays[OBSERVATIONS] = take(4 * n * sizes[OBSERVATION] + 64);
  arrays[NEXT_OBSERVATIONS] = take(4 * n * sizes[OBSERVATION] + 64);
  arrays[REWARDS] = take(4 * n);
  arrays[DISCOUNTS] = take(4 * n);
  arrays[TAKEN] = take(4 * n);
  arrays[PARAMETERS] = take(4 * (size_t)parameters());
  arrays[STAGED] = take(4 * (size_t)STAGED_ROWS * sizes[OBSERVATION] + 64);
  arrays[CHOSEN] = take(4 * STAGED_ROWS);
}

/* PCG32, O'Neill 2014, stream 1 of seed 1, and Lemire's integers below n: the batches of LiveQ's seed 1. */
static uint64_t rng;
enum { INCREMENT = 3 };

static uint32_t next_u32(void) {
  uint64_t old = rng;
  rng = old * 6364136223846793005u + INCREMENT;
  uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27);
  uint32_t turn = (uint32_t)(old >> 59);
  return (mixed >> turn) | (mixed << (-turn & 31));
}

static void seed_rng(void) {
  rng = 0;
  next_u32();
  rng += 1;
  next_u32();
}

static int below(uint32_t n) {
  uint64_t product = (uint64_t)next_u32() * n;
  if ((uint32_t)product < n) {
    uint32_t threshold = -n % n;
    while ((uint32_t)product < threshold) product = (uint64_t)next_u32() * n;
  }
  return (int)(product >> 32);
}

static float huber(float d) {
  float a = d < 0 ? -d : d;
  return a <= 1 ? 0.5f * d * d : a - 0.5f;
}

static float huber_gradient(float d) { return d < -1 ? -1 : d > 1 ? 1 : d; }

static float bellman(int row, float value) {
  float discount = ((float *)arrays[DISCOUNTS])[row];
  float reward = ((float *)arrays[REWARDS])[row];
  return discount == 0 ? reward : reward + discount * value;
}
