/** Vectors, normalisation, Adam. */
import fc from "fast-check";
import { Activation, WEIGHT_MAX } from "../../../assembly/abi.js";
import type { Case, Round } from "../harness.js";
import {
  changed,
  draw,
  fold,
  inPanels,
  input,
  isOdd,
  output,
  pad,
  parts,
  type Spec,
  seed,
  size,
  up4,
} from "./numbers.js";

const vectors = fc.record({ n: size().map(up4), alpha: fc.integer(), seed, isOdd });
const factor = (alpha: number, isOdd: boolean) => draw(1, alpha, isOdd)[0]!;

/** Running sums, four lanes of so many vectors, folded pairwise; what is left over goes to the first four. */
function dotOf(a: Float64Array, b: Float64Array, accumulators: 2 | 4, r: Round): number {
  const width = 4 * accumulators;
  let sums = new Float64Array(width);
  const whole = a.length - (a.length % width);
  for (let i = 0; i < a.length; i++) {
    const lane = i < whole ? i % width : i % 4;
    sums[lane] = r(sums[lane]! + r(a[i]! * b[i]!));
  }
  while (sums.length > 4) {
    const vectors = Array.from({ length: sums.length / 8 }, (_, k) => 8 * k);
    sums = Float64Array.from(vectors.flatMap((at) => [0, 1, 2, 3].map((i) => r(sums[at + i]! + sums[at + 4 + i]!))));
  }
  return fold([...sums], r);
}

const VECTORS: Spec[] = [
  {
    kernel: "dot",
    cases: vectors.map(({ n, seed, isOdd }) => ({
      tensors: { a: input(draw(n, seed, isOdd)), b: input(draw(n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.dot(n, at["a"]!, at["b"]!),
      twin: ({ a, b }, r) => dotOf(a!, b!, 2, r),
      tolerance: isOdd ? 0 : 1e-5,
    })),
  },
  {
    kernel: "dot4",
    cases: fc.record({ n: size().map(up4), gap: fc.constantFrom(0, 4, 12), seed, isOdd }).map((given) => {
      const { n, gap, seed, isOdd } = given;
      const ld = n + gap;
      return {
        // The last row ends where its numbers do.
        tensors: { a: input(draw(n, seed, isOdd)), b: input(draw(4 * ld - gap, seed + 1, isOdd)), y: output(4) },
        run: (kernels, at) => kernels.dot4(n, at["a"]!, at["b"]!, 4 * ld, at["y"]!),
        twin: ({ a, b, y }, r) => {
          for (let i = 0; i < 4; i++) y![i] = dotOf(a!, b!.subarray(ld * i, ld * i + n), 2, r);
        },
        tolerance: isOdd ? 0 : 1e-5,
      };
    }),
  },
  {
    kernel: "dotRows",
    cases: fc
      .record({
        m: fc.integer({ min: 1, max: 9 }),
        n: size(),
        k: size().map(up4),
        gap: fc.constantFrom(0, 4),
        seed,
        isOdd,
      })
      .map(({ m, n, k, gap, seed, isOdd }) => {
        const ld = k + gap;
        return {
          // The last rows end where their numbers do.
          tensors: {
            h: input(draw(m * ld - gap, seed, isOdd)),
            w: input(draw(n * ld - gap, seed + 1, isOdd)),
            b: input(draw(n, seed + 2, isOdd)),
            q: output(m * n),
          },
          run: (kernels, at) => kernels.dotRows(m, n, k, at["h"]!, 4 * ld, at["w"]!, 4 * ld, at["b"]!, at["q"]!),
          twin: ({ h, w, b, q }, r) => {
            for (let i = 0; i < m; i++) {
              for (let j = 0; j < n; j++) {
                const row = h!.subarray(ld * i, ld * i + k);
                q![i * n + j] = r(dotOf(row, w!.subarray(ld * j, ld * j + k), 2, r) + b![j]!);
              }
            }
          },
          tolerance: isOdd ? 0 : 1e-5,
        };
      }),
  },
  {
    kernel: "copy",
    cases: fc.record({ n: fc.oneof(size(), fc.integer({ min: 250, max: 260 })), seed }).map(({ n, seed }) => ({
      tensors: { x: input(draw(n, seed, true)), y: output(n) },
      run: (kernels, at) => kernels.copy(at["y"]!, at["x"]!, 4 * n),
      twin: ({ x, y }) => y!.set(x!),
      tolerance: 0,
    })),
  },
  {
    kernel: "sumSquares",
    cases: vectors.map(({ n, seed, isOdd }) => ({
      tensors: { x: input(draw(n, seed, isOdd)) },
      run: (kernels, at) => kernels.sumSquares(n, at["x"]!),
      twin: ({ x }, r) => dotOf(x!, x!, 4, r),
      tolerance: isOdd ? 0 : 1e-5,
    })),
  },
  {
    kernel: "axpy",
    cases: vectors.map(({ n, alpha, seed, isOdd }) => ({
      tensors: { x: input(draw(n, seed, isOdd)), y: changed(draw(n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.axpy(n, factor(alpha, isOdd), at["x"]!, at["y"]!),
      twin: ({ x, y }, r) => {
        for (let i = 0; i < n; i++) y![i] = r(y![i]! + r(factor(alpha, isOdd) * x![i]!));
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
  {
    kernel: "scaleMasked",
    cases: fc.tuple(vectors, fc.boolean()).map(([{ n, alpha, seed, isOdd }, isInPlace]) => ({
      tensors: {
        x: { ...input(draw(n, seed, isOdd)), isOutput: isInPlace },
        h: input(draw(n, seed + 1, isOdd)),
        y: output(isInPlace ? 0 : n),
      },
      run: (kernels, at) =>
        kernels.scaleMasked(n, factor(alpha, isOdd), at["x"]!, at["h"]!, isInPlace ? at["x"]! : at["y"]!),
      twin: ({ x, h, y }, r) => {
        const to = isInPlace ? x! : y!;
        for (let i = 0; i < n; i++) to[i] = h![i]! > 0 ? r(factor(alpha, isOdd) * x![i]!) : 0;
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
  {
    kernel: "scaleSloped",
    cases: vectors.map(({ n, alpha, seed, isOdd }) => ({
      tensors: {
        x: input(draw(n, seed, isOdd)),
        slope: input(draw(n, seed + 1, isOdd)),
        y: output(n),
      },
      run: (kernels, at) => kernels.scaleSloped(n, factor(alpha, isOdd), at["x"]!, at["slope"]!, at["y"]!),
      twin: ({ x, slope, y }, r) => {
        for (let i = 0; i < n; i++) y![i] = r(r(factor(alpha, isOdd) * x![i]!) * slope![i]!);
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
  {
    kernel: "activate",
    cases: vectors.map(({ n, seed, isOdd }) => ({
      tensors: { z: changed(draw(n, seed, isOdd)), slope: output(n) },
      run: (kernels, at) => kernels.activate(Activation.Linear, n, at["z"]!, at["slope"]!),
      twin: ({ slope }) => {
        slope!.fill(1);
      },
      tolerance: 0,
    })),
  },
  {
    kernel: "rectify",
    cases: vectors.map(({ n, seed, isOdd }) => ({
      tensors: { y: changed(draw(n, seed, isOdd)) },
      run: (kernels, at) => kernels.rectify(n, at["y"]!),
      twin: ({ y }) => {
        for (let i = 0; i < n; i++) if (y![i]! < 0) y![i] = 0;
      },
      tolerance: 0,
    })),
  },
  {
    kernel: "scale",
    cases: vectors.map(({ n, alpha, seed, isOdd }) => ({
      tensors: { y: changed(draw(n, seed, isOdd)) },
      run: (kernels, at) => kernels.scale(n, factor(alpha, isOdd), at["y"]!),
      twin: ({ y }, r) => {
        for (let i = 0; i < n; i++) y![i] = r(factor(alpha, isOdd) * y![i]!);
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
  {
    kernel: "lerp",
    cases: fc.tuple(vectors, fc.constantFrom(0, 1, 0.005, 0.5, 1e-38)).map(([{ n, seed, isOdd }, tau]) => ({
      tensors: { x: input(draw(n, seed, isOdd)), y: changed(draw(n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.lerp(n, tau, at["x"]!, at["y"]!),
      twin: ({ x, y }, r) => {
        for (let i = 0; i < n; i++) y![i] = tau === 1 ? x![i]! : r(y![i]! + r(Math.fround(tau) * r(x![i]! - y![i]!)));
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
  {
    kernel: "allWithin",
    cases: fc
      .record({ n: size(), bad: fc.nat(120), seed, isOdd, x: fc.constantFrom(Number.NaN, 2, -2, 1e38) })
      .map(({ n, bad, seed, isOdd, x }) => {
        const values = draw(n, seed, isOdd).map((value) => (Math.abs(value) <= 1 ? value : -0));
        if (bad < n) values[bad] = x;
        return {
          tensors: { x: input(values) },
          run: (kernels, at) => kernels.allWithin(n, -1, 1, at["x"]!),
          twin: ({ x }) => Number(x!.every((value) => value >= -1 && value <= 1)),
          tolerance: 0,
        };
      }),
  },
  {
    kernel: "argmax",
    cases: fc.record({ n: size(1), from: fc.nat(66), seed, isOdd }).map(({ n, from, seed, isOdd }) => {
      // Ties, and minus infinity for what is not available.
      const values = draw(n, seed, isOdd).map((x, i) => (i === from ? 3e38 : isOdd ? x : Math.round(2 * x)));
      for (let i = 0; i < n; i += 3) if (i !== from) values[i] = Number.NEGATIVE_INFINITY;
      return {
        tensors: { x: input(values) },
        run: (kernels, at) => kernels.argmax(n, at["x"]!),
        twin: ({ x }) => x!.indexOf(Math.max(...x!)),
        tolerance: 0,
      };
    }),
  },
];

const EPSILON = Math.fround(1e-5);

/** A matrix (m, n) whose columns from `width` on are zero. */
function zeroed(m: number, n: number, width: number, seed: number, isOdd: boolean): Float64Array {
  return draw(m * n, seed, isOdd).map((x, i) => (i % n < width ? x : 0));
}

const relu = (x: number) => (x < 0 ? 0 : x);

/** Four lane sums over n columns. */
function lanes(n: number, r: Round, term: (j: number) => number): number {
  const sums = [0, 0, 0, 0];
  for (let j = 0; j < n; j++) sums[j % 4] = r(sums[j % 4]! + term(j));
  return fold(sums, r);
}

const layers = fc.record({ m: size(), width: size(1), seed, isOdd });

const layerNorm: Spec = {
  kernel: "layerNorm",
  cases: layers.map(({ m, width, seed, isOdd }): Case => {
    const n = pad(width);
    return {
      tensors: {
        z: changed(zeroed(m, n, width, seed, isOdd)),
        gain: input(zeroed(1, n, width, seed + 1, isOdd)),
        shift: input(zeroed(1, n, width, seed + 2, isOdd)),
        x: output(m * n),
        spread: output(m),
      },
      run: (kernels, at) =>
        kernels.layerNorm(m, n, width, at["z"]!, at["gain"]!, at["shift"]!, at["x"]!, at["spread"]!, 0),
      twin: ({ z, gain, shift, x, spread }, r) => {
        const share = r(1 / width);
        for (let i = 0; i < m; i++) {
          const row = i * n;
          const mean = r(lanes(n, r, (j) => z![row + j]!) * share);
          for (let j = 0; j < n; j++) x![row + j] = j < width ? r(z![row + j]! - mean) : 0;
          const squares = lanes(n, r, (j) => r(x![row + j]! * x![row + j]!));
          const s = r(1 / r(Math.sqrt(r(r(squares * share) + EPSILON))));
          for (let j = 0; j < n; j++) {
            x![row + j] = r(x![row + j]! * s);
            z![row + j] = relu(r(r(x![row + j]! * gain![j]!) + shift![j]!));
          }
          spread![i] = s;
        }
      },
      // One column has no spread: what it is scaled by is large.
      tolerance: isOdd ? 0 : width < 4 ? 0.1 : 1e-3,
    };
  }),
};

const layerNormBackward: Spec = {
  kernel: "layerNormBackward",
  cases: layers.map(({ m, width, seed, isOdd }): Case => {
    const n = pad(width);
    return {
      tensors: {
        dy: changed(zeroed(m, n, width, seed, isOdd)),
        gain: input(zeroed(1, n, width, seed + 1, isOdd)),
        x: input(zeroed(m, n, width, seed + 2, isOdd)),
        spread: input(draw(m, seed + 3, isOdd)),
      },
      run: (kernels, at) => kernels.layerNormBackward(m, n, width, at["dy"]!, at["gain"]!, at["x"]!, at["spread"]!),
      twin: ({ dy, gain, x, spread }, r) => {
        const share = r(1 / width);
        for (let i = 0; i < m; i++) {
          const row = i * n;
          const dx = Array.from({ length: n }, (_, j) => r(dy![row + j]! * gain![j]!));
          const mean = r(lanes(n, r, (j) => dx[j]!) * share);
          const slope = r(lanes(n, r, (j) => r(dx[j]! * x![row + j]!)) * share);
          for (let j = 0; j < n; j++) {
            const rest = r(r(dx[j]! - mean) - r(x![row + j]! * slope));
            dy![row + j] = j < width ? r(rest * spread![i]!) : 0;
          }
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    };
  }),
};

const batches = fc.record({ m: size(1), n: size().map(up4), seed, isOdd });

const batchNorm: Spec = {
  kernel: "batchNorm",
  cases: batches.map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        z: changed(draw(m * n, seed, isOdd)),
        gain: input(draw(n, seed + 1, isOdd)),
        shift: input(draw(n, seed + 2, isOdd)),
        x: output(m * n),
        spread: output(n),
        mean: output(n),
        variance: output(n),
      },
      run: (kernels, at) => {
        const kept = [at["x"]!, at["spread"]!, at["mean"]!, at["variance"]!] as const;
        kernels.batchNorm(m, n, at["z"]!, at["gain"]!, at["shift"]!, ...kept, 0);
      },
      twin: ({ z, gain, shift, x, spread, mean, variance }, r) => {
        const share = r(1 / m);
        for (let j = 0; j < n; j++) {
          let [sum, squares] = [0, 0];
          for (let i = 0; i < m; i++) sum = r(sum + z![i * n + j]!);
          const centre = r(sum * share);
          for (let i = 0; i < m; i++) {
            const d = r(z![i * n + j]! - centre);
            squares = r(squares + r(d * d));
            x![i * n + j] = d;
          }
          const wide = r(squares * share);
          const s = r(1 / r(Math.sqrt(r(wide + EPSILON))));
          for (let i = 0; i < m; i++) {
            x![i * n + j] = r(x![i * n + j]! * s);
            z![i * n + j] = relu(r(r(x![i * n + j]! * gain![j]!) + shift![j]!));
          }
          spread![j] = s;
          mean![j] = centre;
          variance![j] = wide;
        }
      },
      tolerance: isOdd ? 0 : m < 4 ? 0.1 : 1e-3,
    }),
  ),
};

const batchNormBackward: Spec = {
  kernel: "batchNormBackward",
  cases: batches.map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        dy: changed(draw(m * n, seed, isOdd)),
        gain: input(draw(n, seed + 1, isOdd)),
        x: input(draw(m * n, seed + 2, isOdd)),
        spread: input(draw(n, seed + 3, isOdd)),
      },
      run: (kernels, at) => kernels.batchNormBackward(m, n, at["dy"]!, at["gain"]!, at["x"]!, at["spread"]!),
      twin: ({ dy, gain, x, spread }, r) => {
        const share = r(1 / m);
        for (let j = 0; j < n; j++) {
          let [sum, product] = [0, 0];
          const dx = Array.from({ length: m }, (_, i) => r(dy![i * n + j]! * gain![j]!));
          dx.forEach((d, i) => {
            sum = r(sum + d);
            product = r(product + r(d * x![i * n + j]!));
          });
          const [mean, slope] = [r(sum * share), r(product * share)];
          dx.forEach((d, i) => {
            dy![i * n + j] = r(r(r(d - mean) - r(x![i * n + j]! * slope)) * spread![j]!);
          });
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    }),
  ),
};

const normGradient: Spec = {
  kernel: "normGradient",
  cases: fc.record({ m: size(), n: size().map(up4), seed, isOdd }).map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        dy: input(draw(m * n, seed, isOdd)),
        x: input(draw(m * n, seed + 1, isOdd)),
        dgain: output(n),
        dshift: output(n),
      },
      run: (kernels, at) => kernels.normGradient(m, n, at["dy"]!, at["x"]!, at["dgain"]!, at["dshift"]!),
      twin: ({ dy, x, dgain, dshift }, r) => {
        for (let j = 0; j < n; j++) {
          dgain![j] = 0;
          dshift![j] = 0;
          for (let i = 0; i < m; i++) {
            dgain![j] = r(dgain![j]! + r(dy![i * n + j]! * x![i * n + j]!));
            dshift![j] = r(dshift![j]! + dy![i * n + j]!);
          }
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    }),
  ),
};

const keepStatistics: Spec = {
  kernel: "keepStatistics",
  cases: fc.record({ m: size(2), n: size().map(up4), seed, isOdd }).map(
    ({ m, n, seed, isOdd }): Case => ({
      tensors: {
        mean: input(draw(n, seed, isOdd)),
        variance: input(draw(n, seed + 1, isOdd)),
        runMean: changed(draw(n, seed + 2, isOdd)),
        runVariance: changed(draw(n, seed + 3, isOdd)),
      },
      run: (kernels, at) =>
        kernels.keepStatistics(m, n, at["mean"]!, at["variance"]!, at["runMean"]!, at["runVariance"]!),
      twin: ({ mean, variance, runMean, runVariance }, r) => {
        const momentum = Math.fround(0.1);
        const unbiased = r(m / (m - 1));
        const move = (old: number, to: number) => r(old + r(momentum * r(to - old)));
        for (let j = 0; j < n; j++) {
          runMean![j] = move(runMean![j]!, mean![j]!);
          runVariance![j] = move(runVariance![j]!, r(variance![j]! * unbiased));
        }
      },
      tolerance: isOdd ? 0 : 1e-6,
    }),
  ),
};

const foldNorm: Spec = {
  kernel: "foldNorm",
  cases: fc.record({ rows: size(), n: size().map(pad), isInPlace: fc.boolean(), seed, isOdd }).map(
    ({ rows, n, isInPlace, seed, isOdd }): Case => ({
      tensors: {
        w: { ...input(draw(rows * n, seed, isOdd)), isOutput: isInPlace },
        b: input(draw(n, seed + 1, isOdd)),
        gain: input(draw(n, seed + 2, isOdd)),
        shift: input(draw(n, seed + 3, isOdd)),
        mean: input(draw(n, seed + 4, isOdd)),
        variance: input(draw(n, seed + 5, isOdd).map((x) => (isOdd ? x : Math.abs(x) + 0.1))),
        wOut: output(isInPlace ? 0 : rows * n),
        bOut: output(n),
      },
      run: (kernels, at) => {
        const statistics = [at["gain"]!, at["shift"]!, at["mean"]!, at["variance"]!] as const;
        const to = isInPlace ? at["w"]! : at["wOut"]!;
        kernels.foldNorm(rows, n, at["w"]!, at["b"]!, ...statistics, to, at["bOut"]!);
      },
      twin: ({ w, b, gain, shift, mean, variance, wOut, bOut }, r) => {
        for (let j = 0; j < n; j++) {
          const s = r(gain![j]! / r(Math.sqrt(r(variance![j]! + EPSILON))));
          bOut![j] = r(r(r(b![j]! - mean![j]!) * s) + shift![j]!);
          for (let i = 0; i < rows; i++) {
            const at = inPanels(rows, n, i, j);
            (isInPlace ? w! : wOut!)[at] = r(w![at]! * s);
          }
        }
      },
      tolerance: isOdd ? 0 : 1e-4,
    }),
  ),
};

const adam: Spec = {
  kernel: "adam",
  cases: fc
    .record({
      n: size().map(up4),
      scale: fc.constantFrom(1, 0.5, 1e-6),
      rate: fc.constantFrom(1e-3, 1, 1e-8),
      beta1: fc.constantFrom(0, 0.9, 1 - 2 ** -53),
      beta2: fc.constantFrom(0, 0.999, 1 - 2 ** -30),
      epsilon: fc.constantFrom(1e-8, 1e-12, 1),
      t: fc.integer({ min: 1, max: 1000 }),
      decay: fc.constantFrom(0, 0.1),
      parts,
      seed,
      isOdd,
    })
    .map(({ n, scale, rate, beta1, beta2, epsilon, t, decay, parts, seed, isOdd }): Case => {
      const [power1, power2] = [beta1 ** t, beta2 ** t];
      return {
        tensors: {
          w: changed(draw(n, seed, isOdd)),
          g: input(draw(n, seed + 1, isOdd)),
          m: changed(draw(n, seed + 2, isOdd)),
          v: changed(draw(n, seed + 3, isOdd).map(Math.abs)),
        },
        run: (kernels, at) => {
          const rates = [scale, rate, beta1, beta2, epsilon, power1, power2, decay] as const;
          kernels.adam(n, at["w"]!, at["g"]!, at["m"]!, at["v"]!, ...rates);
          // A second step, in shares.
          for (let part = 0; parts > 1 && part < parts; part++) kernels.adamPart(part, parts);
        },
        twin: ({ w, g, m, v }, r) => {
          const root = Math.sqrt(1 - power2);
          const [alpha, least] = [r((rate * root) / (1 - power1)), r(epsilon * root)];
          const [b1, b2, rest1, rest2] = [r(beta1), r(beta2), r(1 - beta1), r(1 - beta2)];
          for (let turn = 0; turn < (parts > 1 ? 2 * n : n); turn++) {
            const i = turn % n;
            const d = r(r(scale) * g![i]!);
            const first = r(r(m![i]! * b1) + r(d * rest1));
            m![i] = Math.abs(first) > Math.fround(1e-30) ? first : 0;
            v![i] = r(r(v![i]! * b2) + r(r(d * d) * rest2));
            const step = r(r(m![i]! * alpha) / r(r(Math.sqrt(v![i]!)) + least));
            const moved = r(r(w![i]! * r(1 - rate * decay)) - step);
            w![i] = moved < -WEIGHT_MAX ? -WEIGHT_MAX : moved > WEIGHT_MAX ? WEIGHT_MAX : moved;
          }
        },
        tolerance: 0,
      };
    }),
};

export const ROWS: Spec[] = [
  ...VECTORS,
  layerNorm,
  layerNormBackward,
  batchNorm,
  batchNormBackward,
  normGradient,
  keepStatistics,
  foldNorm,
  adam,
];
