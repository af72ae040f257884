/**
 * Writes .build/tiles.ts: the inner loops of gemm.ts as plain loops over k; the widest panel's once more with four
 * steps of k in a turn. A tile is rows x vectors accumulators in registers; both forms add the same products in the same order.
 *
 * Which form is faster depends on the engine that compiles the Wasm: V8 before 13 moves the loads of an unrolled loop
 * to its start and spills, others gain or do not mind.
 */
import { mkdirSync, writeFileSync } from "node:fs";

/**
 * Width of the panels in f32, rows of a tile and steps of k in a turn: 8 accumulators leave room in 16 registers on x86.
 * All engines are faster with two steps where there are but 4.
 */
const PANELS = [
  { width: 16, rows: 2, steps: 1 },
  { width: 8, rows: 4, steps: 1 },
  { width: 4, rows: 4, steps: 2 },
];
const UNROLLED = 4;

const range = (n) => Array.from({ length: n }, (_, i) => i);
const indent = (lines, by = "  ") => lines.map((line) => by + line);
/** f(row, vector) for each accumulator of a tile. */
const each = (rows, vectors, f) => range(rows).flatMap((r) => range(vectors).map((v) => f(r, v)));

/** Step s of k: a row of B in `b(v)`, times one number of each row of A. */
function step(rows, vectors, s, b) {
  if (rows === 1) {
    // Each vector of B at its use: all of them first do not fit the registers beside 8 accumulators.
    const sums = range(vectors).map((v) => `c0${v} = f32x4.add(c0${v}, f32x4.mul(a0, v128.load(${b(s, v)})));`);
    return ["{", ...indent([`const a0 = v128.load32_splat(pa0, ${4 * s});`, ...sums]), "}"];
  }
  const lines = range(vectors).map((v) => `const b${v} = v128.load(${b(s, v)});`);
  for (const r of range(rows)) {
    lines.push(`const a${r} = v128.load32_splat(pa${r}, ${4 * s});`);
    for (const v of range(vectors)) lines.push(`c${r}${v} = f32x4.add(c${r}${v}, f32x4.mul(a${r}, b${v}));`);
  }
  return ["{", ...indent(lines), "}"];
}

/** The loop over k: as many turns of `steps` steps as there are, then single ones. Requires k > 0. */
function loop(rows, vectors, steps, b, advance) {
  const turn = (n) => [...range(n).flatMap((s) => step(rows, vectors, s, b)), ...advance(n)];
  if (steps === 1) return ["do {", ...indent(turn(1)), "} while (--n);"];
  const turns = [`while (n >= ${steps}) {`, ...indent([...turn(steps), `n -= ${steps};`]), "}"];
  return [...turns, "while (n > 0) {", ...indent([...turn(1), "n--;"]), "}"];
}

/** ReLU or its mask on all accumulators, then their stores. */
function finish(rows, vectors) {
  const at = (base, r) => (r === 0 ? base : r === 1 ? `${base} + ldc` : `${base} + ldc * ${r}`);
  const relu = each(rows, vectors, (r, v) => `c${r}${v} = f32x4.pmax(c${r}${v}, f32x4.splat(0));`);
  const mask = each(rows, vectors, (r, v) => {
    return `c${r}${v} = v128.and(c${r}${v}, f32x4.gt(v128.load(${at("mask", r)}, ${16 * v}), f32x4.splat(0)));`;
  });
  return [
    "if (epilogue == RELU) {",
    ...indent(relu),
    "} else if (epilogue == MASK) {",
    ...indent(mask),
    "}",
    ...each(rows, vectors, (r, v) => `v128.store(${at("c", r)}, c${r}${v}, ${16 * v});`),
  ];
}

/**
 * ReLU on the accumulators of a row, then their stores, once: with stores in an else branch, or with a third way as in
 * `finish`, V8 before 13 spills accumulators within the loop and takes twice the time.
 */
function finishRow(vectors) {
  const all = (f) => range(vectors).map((v) => f(`c0${v}`, v));
  return [
    "if (epilogue == RELU) {",
    ...indent(all((c) => `${c} = f32x4.pmax(${c}, f32x4.splat(0));`)),
    "}",
    ...all((c, v) => `v128.store(c, ${c}, ${16 * v});`),
  ];
}

/** One tile of `rows` rows at a, c, init and mask; the list says what to add to the address of each row of A. */
function tile(rows, vectors, steps) {
  const bytes = vectors * 16;
  const advance = (n) => [`pb += ${n * bytes};`, ...range(rows).map((r) => `pa${r} += ${4 * n};`)];
  return [
    "let pb = b;",
    "let n = k;",
    ...range(rows).map((r) => `let pa${r} = a + lda * ${r} + load<usize>(list + ldl * ${r});`),
    ...each(rows, vectors, (r, v) => `let c${r}${v} = v128.load(init + ldi * ${r}, ${16 * v});`),
    ...loop(rows, vectors, steps, (s, v) => `pb, ${s * bytes + 16 * v}`, advance),
    ...finish(rows, vectors),
  ];
}

const PARAMETERS =
  "m: i32, k: i32, a: usize, lda: usize, list: usize, ldl: usize, b: usize, c: usize, ldc: usize, init: usize, ldi: usize, epilogue: i32, mask: usize";

/** A panel, tile by tile; the unrolled form leaves a last single row to the other. */
function panel({ width, rows, steps }) {
  const isUnrolled = steps === UNROLLED;
  const some = (n, steps) => [
    `while (m >= ${n}) {`,
    ...indent([
      ...tile(n, width / 4, steps),
      `a += lda * ${n};`,
      `list += ldl * ${n};`,
      `c += ldc * ${n};`,
      `init += ldi * ${n};`,
      `mask += ldc * ${n};`,
      `m -= ${n};`,
    ]),
    "}",
  ];
  const call = `panel${width}(${PARAMETERS.replaceAll(/: \w+/g, "")})`;
  return [
    `/** C(m,${width}) = epilogue(init + A(m,k) * B(k,${width})) */`,
    `export function panel${width}${isUnrolled ? "Unrolled" : ""}(${PARAMETERS}): void {`,
    ...indent([...some(rows, steps), ...(isUnrolled ? [`if (m > 0) ${call};`] : some(1, 1))]),
    "}",
  ];
}

/**
 * Two panels of one row at once, of as many vectors as given: more chains hide the latency of an addition. One step of k in
 * a turn: V8 before 13 spills with two (371 in place of 263 ns for 120 steps), later ones gain nothing from them.
 */
function row(...panels) {
  const vectors = panels[0] + panels[1];
  const advance = () => [...panels.map((width, i) => `pb${i} += ${16 * width};`), "pa0 += 4;"];
  const b = (_, v) => (v < panels[0] ? `pb0, ${16 * v}` : `pb1, ${16 * (v - panels[0])}`);
  const parameters =
    "k: i32, a: usize, b0: usize, b1: usize, c: usize, init: usize, epilogue: i32";
  return [
    `/** C(1,${4 * vectors}) = epilogue(init + A(1,k) * B(k,${4 * vectors})), B in two panels. */`,
    `export function row${4 * vectors}(${parameters}): void {`,
    ...indent([
      "let pa0 = a;",
      "let pb0 = b0;",
      "let pb1 = b1;",
      "let n = k;",
      ...each(1, vectors, (r, v) => `let c${r}${v} = v128.load(init, ${16 * v});`),
      ...loop(1, vectors, 1, b, advance),
      ...finishRow(vectors),
    ]),
    "}",
  ];
}

/**
 * Products of rows of two matrices that both run along k, in the order of vector.ts's dot: even vectors of each row first, to
 * `sums`, then odd ones, so that 8 accumulators do for 8 products.
 */
function dots() {
  const [rows, others] = [2, 4];
  const all = (f) => each(rows, others, f);
  const step = range(rows).map((r) => `const a${r} = v128.load(pa${r});`);
  for (const o of range(others)) {
    step.push(`const b${o} = v128.load(pb${o});`);
    for (const r of range(rows)) step.push(`c${r}${o} = f32x4.add(c${r}${o}, f32x4.mul(a${r}, b${o}));`);
  }
  step.push(...range(rows).map((r) => `pa${r} += 32;`), ...range(others).map((o) => `pb${o} += 32;`), "n--;");
  const half = (count, from) => [
    `n = ${count};`,
    ...range(rows).map((r) => `pa${r} = a + lda * ${r} + ${from};`),
    ...range(others).map((o) => `pb${o} = b + ldb * ${o} + ${from};`),
    ...all((r, o) => `c${r}${o} = f32x4.splat(0);`),
    "while (n != 0) {",
    ...indent(step),
    "}",
  ];
  const at = (r, o) => 16 * (others * r + o);
  const pairs = (x, y) => `f32x4.add(i32x4.shuffle(${x}, ${y}, 0, 2, 4, 6), i32x4.shuffle(${x}, ${y}, 1, 3, 5, 7))`;
  const folded = (r) => pairs(pairs(`c${r}0`, `c${r}1`), pairs(`c${r}2`, `c${r}3`));
  const parameters =
    "k: i32, a: usize, lda: usize, b: usize, ldb: usize, sums: usize, c: usize, ldc: usize, init: usize, ldi: usize";
  return [
    "/** C(2,4) = A(2,k) * B(4,k)^T + init(2,4), strides of rows in bytes. sums: 128 bytes of scratch. */",
    `export function dots2x4(${parameters}): void {`,
    ...indent([
      "let n = 0;",
      ...range(rows).map((r) => `let pa${r}: usize = 0;`),
      ...range(others).map((o) => `let pb${o}: usize = 0;`),
      ...all((r, o) => `let c${r}${o} = f32x4.splat(0);`),
      ...half("(k + 4) >> 3", 0),
      ...all((r, o) => `v128.store(sums, c${r}${o}, ${at(r, o)});`),
      ...half("k >> 3", 16),
      ...all((r, o) => `c${r}${o} = f32x4.add(v128.load(sums, ${at(r, o)}), c${r}${o});`),
      ...range(rows).map((r) => `v128.store(c + ldc * ${r}, f32x4.add(${folded(r)}, v128.load(init + ldi * ${r})));`),
    ]),
    "}",
  ];
}

const functions = [...PANELS.map(panel), panel({ ...PANELS[0], steps: UNROLLED }), row(4, 4), row(4, 2), row(4, 1), dots()];
const head = ["// Written by assembly/tiles.mjs.", 'import { MASK, RELU } from "../assembly/gemm";'];
mkdirSync(".build", { recursive: true });
writeFileSync(".build/tiles.ts", [head, ...functions].map((lines) => `${lines.join("\n")}\n`).join("\n"));
