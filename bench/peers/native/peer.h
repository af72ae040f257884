/*
 * What a peer in C offers: to serve.c where it is native, to clang.mjs where it is Wasm. All arrays are row-major f32 or
 * i32. The replay is full, batches are drawn as LiveQ draws them, and the target network stays as it was loaded.
 */
#pragma once

enum { MAX_LAYERS = 9, STAGED_ROWS = 64 };

/* In the order in which they are set; widths: the hidden layers. */
enum { OBSERVATION, ACTIONS, BATCH, CAPACITY, HIDDEN, WIDTHS, SETTINGS = WIDTHS + MAX_LAYERS };

/*
 * Arrays: the replay's columns, f32 but for the actions, a discount being 0 where the task ended; the parameters in plain
 * form, weight (out, in) and bias (out) layer by layer; staged rows, and the i32 action chosen for each.
 */
enum { OBSERVATIONS, NEXT_OBSERVATIONS, REWARDS, DISCOUNTS, TAKEN, PARAMETERS, STAGED, CHOSEN, ARRAYS };

#if defined(__wasm__)
#define API __attribute__((visibility("default")))
#else
#define API
#endif

/* The compiler, and what else has a version. */
API const char *built_by(void);
/* (SETTINGS) i32, to be written before create. */
API int *settings(void);
/* learning rate, beta1, beta2, epsilon: f64, to be written before create. */
API double *rates(void);
/* Takes all memory; 0 where there is not enough. */
API int create(void);
API void *array(int which);
/* Number of parameters. */
API int parameters(void);
/* PARAMETERS to the online and the target network. */
API void load(void);
/* The online network to PARAMETERS. */
API void unload(void);
/* Does so many updates; returns the last loss. */
API float train(int count);
/* The greedy action of the first staged row, so many times over. */
API void act(int count);
/* The greedy actions of all STAGED_ROWS staged rows at once, so many times over. */
API void act_rows(int count);
