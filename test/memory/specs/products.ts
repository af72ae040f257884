/** gemm, panels and transposes, index inputs, noise. */
import fc from "fast-check";
import { Pcg32 } from "../../reference/rng.js";
import { ANYTHING, type Case } from "../harness.js";
import {
  changed,
  draw,
  inPanels,
  input,
  isOdd,
  output,
  pad,
  parts,
  type Spec,
  seed,
  size,
  spread,
  up4,
  words,
} from "./numbers.js";

const [NONE, RELU, MASK] = [0, 1, 2];

/** Which of m rows a list names as its i-th: some of them twice. */
const listed = (i: number, m: number) => (3 * i + 1) % m;

/** A list of rows `ld` numbers apart, as rowOf reads it: what is added to an address BEFORE the first. */
const listOf = (m: number, ld: number) => words(Array.from({ length: m }, (_, i) => BEFORE + listed(i, m) * ld * 4));
const BEFORE = 64;

const gemm: Spec = {
  kernel: "gemm",
  cases: fc
    .record({
      m: fc.oneof(size(1), fc.constant(1)),
      n: size().map(pad),
      k: size(1),
      aGap: fc.nat(3),
      cGap: fc.nat(2),
      above: fc.nat(3),
      below: fc.nat(2),
      start: fc.constantFrom("zero", "row", "rows", "itself"),
      epilogue: fc.constantFrom(NONE, RELU, MASK),
      isPanels: fc.boolean(),
      isListed: fc.boolean(),
      isUnrolled: fc.boolean(),
      parts,
      seed,
      isOdd,
    })
    .map((drawn): Case => {
      const { m, n, k, aGap, cGap, above, below, start, epilogue, isPanels, isListed, isUnrolled } = drawn;
      const { parts, seed, isOdd } = drawn;
      const lda = k + aGap;
      const rows = above + k + below;
      const crows = above + m + below;
      const ldc = n + 4 * cGap;
      const isMasked = epilogue === MASK && !isPanels;
      const isItself = start === "itself" && !isPanels;
      const bValues = draw(k * n, seed + 1, isOdd);
      const b = output(rows * n).values as Float64Array;
      for (let x = 0; x < k; x++) for (let j = 0; j < n; j++) b[inPanels(rows, n, above + x, j)] = bValues[x * n + j]!;
      const initial = draw(m * n, seed + 2, isOdd);
      const c = isItself ? spread(m, n, ldc, initial) : output(isPanels ? crows * n : n ? (m - 1) * ldc + n : 0).values;
      const isRow = start === "row" || (start === "itself" && isPanels);
      const init = start === "rows" ? spread(m, n, ldc, initial) : isRow ? initial.subarray(0, n) : [];
      const ldi = start === "rows" || isItself ? ldc : 0;
      const mask = isMasked ? spread(m, n, ldc, draw(m * n, seed + 3, isOdd)) : [];
      const what = epilogue === MASK && !isMasked ? NONE : epilogue;
      // A row alone is no job that could be split.
      const shares = m === 1 && !isPanels && !isMasked ? 1 : parts;
      return {
        tensors: {
          a: input(spread(m, k, lda, draw(m * k, seed, isOdd))),
          list: listOf(m, lda),
          b: input(b),
          c: changed(c),
          init: input(init),
          mask: input(mask),
        },
        run: (kernels, at) => {
          const from = isItself ? at["c"]! : start === "zero" ? 0 : at["init"]!;
          const [ldcBytes, cs, cr] = isPanels ? [0, crows, above] : [ldc * 4, 0, 0];
          const mk = isMasked ? at["mask"]! : 0;
          kernels.useUnrolled(isUnrolled);
          kernels.gemm(
            m,
            n,
            k,
            isListed ? at["a"]! - BEFORE : at["a"]!,
            isListed ? at["list"]! + 1 : lda * 4,
            at["b"]!,
            rows,
            above,
            at["c"]!,
            ldcBytes,
            cs,
            cr,
            from,
            ldi * 4,
            what,
            mk,
          );
          // Once more in shares, which adds what starts from itself twice.
          for (let part = 0; shares > 1 && part < shares; part++) kernels.gemmPart(part, shares);
        },
        twin: ({ a, b, c, init, mask }, r) => {
          for (let row = 0; row < (isItself && shares > 1 ? 2 * m : m); row++) {
            const i = row % m;
            const first = (isListed ? listed(i, m) : i) * lda;
            for (let j = 0; j < n; j++) {
              const at = isPanels ? inPanels(crows, n, above + i, j) : i * ldc + j;
              let sum = isItself ? c![at]! : start === "zero" ? 0 : init![i * ldi + j]!;
              for (let x = 0; x < k; x++) sum = r(sum + r(a![first + x]! * b![inPanels(rows, n, above + x, j)]!));
              if (what === RELU && sum < 0) sum = 0;
              if (what === MASK && !(mask![at]! > 0)) sum = 0;
              c![at] = sum;
            }
          }
        },
        tolerance: isOdd ? 0 : 1e-4,
      };
    }),
};

const packPanels: Spec = {
  kernel: "packPanels",
  cases: fc.record({ m: size(), n: size().map(pad), gap: fc.nat(5), seed, isOdd }).map(
    ({ m, n, gap, seed, isOdd }): Case => ({
      tensors: { src: input(spread(m, n, n + gap, draw(m * n, seed, isOdd))), dst: output(m * n) },
      run: (kernels, at) => kernels.packPanels(m, n, at["src"]!, (n + gap) * 4, at["dst"]!),
      twin: ({ src, dst }) => {
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) dst![inPanels(m, n, i, j)] = src![i * (n + gap) + j]!;
      },
      tolerance: 0,
    }),
  ),
};

const transpose: Spec = {
  kernel: "transpose",
  cases: fc
    .record({ m: size(), n: size(), gap: fc.nat(5), toGap: fc.nat(5), isListed: fc.boolean(), seed, isOdd })
    .map(({ m, n, gap, toGap, isListed, seed, isOdd }): Case => {
      const ld = n + gap;
      const ldt = up4(m) + toGap;
      // Vectors that begin inside a row of n numbers end behind it, in the next row or, for the last, beyond.
      const src = output(m && n ? (m - 1) * ld + up4(n) : 0).values as Float64Array;
      const values = draw(m * n, seed, isOdd);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) src[i * ld + j] = values[i * n + j]!;
      return {
        tensors: {
          src: input(src),
          list: listOf(m, ld),
          dst: output(m && n ? (up4(n) - 1) * ldt + up4(m) : 0),
        },
        run: (kernels, at) => {
          const [from, lds] = isListed ? [at["src"]! - BEFORE, at["list"]! + 1] : [at["src"]!, ld * 4];
          kernels.transpose(m, n, from, lds, at["dst"]!, ldt * 4);
        },
        twin: ({ src, dst }) => {
          for (let j = 0; m && j < up4(n); j++) {
            for (let i = 0; i < up4(m); i++) {
              const row = isListed ? listed(i, m) : i;
              dst![j * ldt + i] = i < m && j < n ? src![row * ld + j]! : ANYTHING;
            }
          }
        },
        tolerance: 0,
      };
    }),
};

const packTransposed: Spec = {
  kernel: "packTransposed",
  cases: fc
    .record({ m: size(), n: size().map(up4), gap: fc.nat(5), above: fc.nat(3), below: fc.nat(3), seed, isOdd })
    .map(({ m, n, gap, above, below, seed, isOdd }): Case => {
      const rows = above + n + below;
      const ld = n + gap;
      const height = pad(m);
      return {
        tensors: { src: input(spread(height, n, ld, draw(height * n, seed, isOdd))), dst: output(rows * height) },
        run: (kernels, at) => kernels.packTransposed(m, n, at["src"]!, ld * 4, at["dst"]!, rows, above),
        twin: ({ src, dst }) => {
          for (let i = 0; i < height; i++) {
            for (let j = 0; j < n; j++) dst![inPanels(rows, height, above + j, i)] = src![i * ld + j]!;
          }
        },
        tolerance: 0,
      };
    }),
};

/** Index slots, and rows of panels that they name: [rows above | `size` | below]. */
const sparse = fc.record({
  n: size().map(up4),
  slots: fc.nat(9),
  size: fc.integer({ min: 1, max: 67 }),
  above: fc.nat(3),
  below: fc.nat(3),
  seed,
  isOdd,
});

/** Indices as the bits of f32, then weights: integers below 2^23 are the subnormal numbers. */
function slotsOf(slots: number, size: number, seed: number, isOdd: boolean): Float64Array {
  const indices = Array.from({ length: slots }, (_, s) => ((seed + 1) * (s + 3) * 7919) % size);
  return Float64Array.from([...indices.map((index) => index * 2 ** -149), ...draw(slots, seed + 5, isOdd)]);
}

const gatherRows: Spec = {
  kernel: "gatherRows",
  cases: sparse.map(({ n, slots, size, above, below, seed, isOdd }): Case => {
    const rows = above + size + below;
    return {
      tensors: {
        indices: input(slotsOf(slots, size, seed, isOdd)),
        w: input(draw(rows * n, seed, isOdd)),
        y: changed(draw(n, seed + 1, isOdd)),
      },
      run: (kernels, at) => kernels.gatherRows(n, slots, at["indices"]!, at["w"]!, rows, above, at["y"]!),
      twin: ({ indices, w, y }, r) => {
        for (let s = 0; s < slots; s++) {
          const i = above + indices![s]! * 2 ** 149;
          for (let j = 0; j < n; j++) y![j] = r(y![j]! + r(indices![slots + s]! * w![inPanels(rows, n, i, j)]!));
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    };
  }),
};

const scatterRows: Spec = {
  kernel: "scatterRows",
  cases: sparse.map(({ n, slots, size, above, below, seed, isOdd }): Case => {
    const rows = above + size + below;
    return {
      tensors: {
        indices: input(slotsOf(slots, size, seed, isOdd)),
        dw: changed(draw(rows * n, seed, isOdd)),
        dy: input(draw(n, seed + 1, isOdd)),
      },
      run: (kernels, at) => kernels.scatterRows(n, slots, at["indices"]!, at["dw"]!, rows, above, at["dy"]!),
      twin: ({ indices, dw, dy }, r) => {
        for (let s = 0; s < slots; s++) {
          const i = above + indices![s]! * 2 ** 149;
          for (let j = 0; j < n; j++) {
            const at = inPanels(rows, n, i, j);
            dw![at] = r(dw![at]! + r(indices![slots + s]! * dy![j]!));
          }
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    };
  }),
};

const zeroRows: Spec = {
  kernel: "zeroRows",
  cases: fc
    .record({ n: size().map(up4), count: size(), above: fc.nat(3), below: fc.nat(3), seed })
    .map(({ n, count, above, below, seed }): Case => {
      const rows = above + count + below;
      return {
        tensors: { w: changed(draw(rows * n, seed, true)) },
        run: (kernels, at) => kernels.zeroRows(n, at["w"]!, rows, above, count),
        twin: ({ w }) => {
          for (let i = above; i < above + count; i++) for (let j = 0; j < n; j++) w![inPanels(rows, n, i, j)] = 0;
        },
        tolerance: 0,
      };
    }),
};

const drawNoise: Spec = {
  kernel: "drawNoise",
  cases: fc.record({ n: size(), more: fc.nat(9), seed }).map(({ n, more, seed }): Case => {
    const state = BigInt(seed) * 0x9e3779b97f4a7c15n;
    const halves = (x: bigint) => [Number(x & 0xffffffffn), Number((x >> 32n) & 0xffffffffn)];
    return {
      tensors: { rng: { ...words([...halves(state), 2 * seed + 1, 0]), isOutput: true }, e: output(n + more) },
      run: (kernels, at) => kernels.drawNoise(at["rng"]!, n, n + more, at["e"]!),
      twin: ({ rng, e }) => {
        const pcg = new Pcg32(state & 0xffffffffffffffffn, BigInt(2 * seed + 1));
        const root = (x: number) => Math.sign(x) * Math.sqrt(Math.abs(x));
        e!.fill(0);
        for (let i = 0; i < n; i += 2) {
          let [u, v, s] = [0, 0, 1];
          while (s >= 1 || Math.fround(s) === 0) {
            u = 2 * pcg.uniform() - 1;
            v = 2 * pcg.uniform() - 1;
            s = u * u + v * v;
          }
          const scale = Math.sqrt((-2 * Math.log(s)) / s);
          e![i] = root(u * scale);
          if (i + 1 < n) e![i + 1] = root(v * scale);
        }
        halves(pcg.state).forEach((half, i) => {
          rng![i] = half;
        });
      },
      isExact: false,
      tolerance: 1e-5,
    };
  }),
};

const noise = fc.record({ m: size(), n: size().map(up4), seed, isOdd });

const perturb: Spec = {
  kernel: "perturb",
  cases: noise.map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        mu: input(draw(m * n, seed, isOdd)),
        sigma: input(draw(m * n, seed + 1, isOdd)),
        a: input(draw(m, seed + 2, isOdd)),
        b: input(draw(n, seed + 3, isOdd)),
        w: output(m * n),
      },
      run: (kernels, at) => kernels.perturb(m, n, at["mu"]!, at["sigma"]!, at["a"]!, at["b"]!, at["w"]!),
      twin: ({ mu, sigma, a, b, w }, r) => {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) w![i * n + j] = r(mu![i * n + j]! + r(sigma![i * n + j]! * r(a![i]! * b![j]!)));
        }
      },
      tolerance: isOdd ? 0 : 1e-6,
    }),
  ),
};

const noiseGradient: Spec = {
  kernel: "noiseGradient",
  cases: noise.map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        dw: input(draw(m * n, seed, isOdd)),
        a: input(draw(m, seed + 2, isOdd)),
        b: input(draw(n, seed + 3, isOdd)),
        dsigma: output(m * n),
      },
      run: (kernels, at) => kernels.noiseGradient(m, n, at["dw"]!, at["a"]!, at["b"]!, at["dsigma"]!),
      twin: ({ dw, a, b, dsigma }, r) => {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) dsigma![i * n + j] = r(dw![i * n + j]! * r(a![i]! * b![j]!));
        }
      },
      tolerance: isOdd ? 0 : 1e-6,
    }),
  ),
};

export const PRODUCTS = [
  gemm,
  packPanels,
  transpose,
  packTransposed,
  gatherRows,
  scatterRows,
  zeroRows,
  drawNoise,
  perturb,
  noiseGradient,
];
