/* A native peer that answers on its standard output what is asked on its standard input: see ../serve.mjs. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "peer.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e6 * t.tv_sec + 1e-3 * t.tv_nsec;
}

static int read_words(FILE *file, void *to, size_t n) { return fread(to, 4, n, file) == n; }

/* The data file: settings, rates, then the arrays up to STAGED. */
static int read_data(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  int *size = settings();
  int ok = read_words(file, size, SETTINGS) && fread(rates(), 8, 4, file) == 4 && create();
  if (ok) {
    size_t n = size[CAPACITY], wide = n * size[OBSERVATION];
    size_t lengths[] = {wide, wide, n, n, n, parameters(), (size_t)STAGED_ROWS * size[OBSERVATION]};
    for (int i = 0; i <= STAGED && ok; i++) ok = read_words(file, array(i), lengths[i]);
  }
  fclose(file);
  return ok;
}

static void answer_chosen(int n) {
  printf("{\"chosen\":[");
  for (int i = 0; i < n; i++) printf(i ? ",%d" : "%d", ((int *)array(CHOSEN))[i]);
  printf("]}\n");
}

static void write_weights(const char *path) {
  FILE *file = fopen(path, "wb");
  unload();
  int ok = file && fwrite(array(PARAMETERS), 4, parameters(), file) == (size_t)parameters();
  if (file) fclose(file);
  puts(ok ? "{}" : "{\"error\":\"the weights could not be written\"}");
}

int main(int count, char **words) {
  if (count < 2 || !read_data(words[1])) {
    puts("{\"error\":\"the data could not be read\"}");
    return 1;
  }
#if defined(__SSE__)
  /* Denormals are 0. */
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
  load();
  printf("{\"version\":\"%s\"}\n", built_by());
  fflush(stdout);
  char line[4096], word[64], path[4000];
  while (fgets(line, sizeof line, stdin)) {
    int n = 0;
    if (sscanf(line, "weights %3999[^\n]", path) == 1) write_weights(path);
    else if (sscanf(line, "%63s %d", word, &n) < 1) continue;
    else if (!strcmp(word, "chosen")) {
      act_rows(1);
      answer_chosen(STAGED_ROWS);
    } else if (!strcmp(word, "train")) {
      double start = now();
      float loss = train(n);
      printf("{\"us\":%.3f,\"loss\":%.9g}\n", now() - start, loss);
    } else if (!strcmp(word, "act") || !strcmp(word, "act64")) {
      double start = now();
      if (word[3]) act_rows(n);
      else act(n);
      double end = now();
      printf("{\"us\":%.3f,\"chosen\":[%d]}\n", end - start, ((int *)array(CHOSEN))[0]);
    } else puts("{\"error\":\"unknown command\"}");
    fflush(stdout);
  }
  return 0;
}
