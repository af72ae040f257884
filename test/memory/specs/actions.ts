/** Action values, losses, targets. */
import fc from "fast-check";
import { logSumExp } from "../../reference/dqn.js";
import type { Case, Round } from "../harness.js";
import { changed, draw, fold, input, isOdd, output, type Spec, seed, size, up4, words } from "./numbers.js";

const sizes = fc.record({
  c: size(),
  n: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), size(1)),
  isMasked: fc.boolean(),
  seed,
  isOdd,
});

/** Which of c actions are available, as bits; nothing stands behind the last. */
function maskOf(c: number, isMasked: boolean, seed: number) {
  const isThere = Array.from({ length: c }, (_, a) => !isMasked || ((a + 3) * (seed + 7)) % 5 > 1);
  const bits = new Array<number>(isMasked ? (c + 31) >> 5 : 0).fill(0);
  if (isMasked)
    isThere.forEach((there, a) => {
      if (there) bits[a >> 5] = (bits[a >> 5]! | (1 << (a & 31))) >>> 0;
    });
  return { isThere, available: isThere.filter(Boolean).length, bits: words(bits) };
}

const VALUES: Spec[] = [
  {
    kernel: "countOf",
    cases: sizes.map(({ c, isMasked, seed }) => {
      const { available, bits } = maskOf(c, isMasked, seed);
      return {
        tensors: { bits },
        run: (kernels, at) => kernels.countOf(c, isMasked ? at["bits"]! : 0),
        twin: () => available,
        tolerance: 0,
      };
    }),
  },
  {
    kernel: "packBits",
    cases: sizes.map(({ c, seed }) => ({
      tensors: {
        src: { values: draw(c, seed, false).map((x) => Math.floor(Math.max(0, x) * 256)), type: "u8" },
        dst: { ...output((c + 31) >> 5), type: "u32" },
      },
      run: (kernels, at) => kernels.packBits(c, at["src"]!, at["dst"]!),
      twin: ({ src, dst }) => {
        dst!.fill(0);
        for (let i = 0; i < c; i++) if (src![i]) dst![i >> 5] = (dst![i >> 5]! | (1 << (i & 31))) >>> 0;
      },
      tolerance: 0,
    })),
  },
  {
    kernel: "expectations",
    cases: sizes.map(({ c, n, isMasked, seed, isOdd }) => {
      const { isThere, bits } = maskOf(c, isMasked, seed);
      const isInPlace = n === 1 && seed % 2 === 0;
      return {
        tensors: {
          theta: { ...input(draw(c * n, seed, isOdd)), isOutput: isInPlace },
          bits,
          q: output(isInPlace ? 0 : c),
        },
        run: (kernels, at) => {
          const to = isInPlace ? at["theta"]! : at["q"]!;
          kernels.expectations(c, n, at["theta"]!, isMasked ? at["bits"]! : 0, to);
        },
        twin: ({ theta, q }, r) => {
          isThere.forEach((there, a) => {
            let sum = theta![a * n]!;
            for (let i = 1; i < n; i++) sum = r(sum + theta![a * n + i]!);
            (isInPlace ? theta! : q!)[a] = there ? (n > 1 ? r(sum * r(1 / n)) : sum) : Number.NEGATIVE_INFINITY;
          });
        },
        tolerance: isOdd ? 0 : 1e-5,
      };
    }),
  },
  {
    kernel: "best",
    cases: sizes.map(({ c, isMasked, seed, isOdd }) => {
      const { isThere, available, bits } = maskOf(c, isMasked, seed);
      const q = draw(c, seed, isOdd).map((x, a) => (isThere[a] ? x : Number.NEGATIVE_INFINITY));
      return {
        tensors: { q: input(q), bits },
        run: (kernels, at) => kernels.best(c, at["q"]!, isMasked ? at["bits"]! : 0),
        twin: ({ q }) => (available ? q!.indexOf(Math.max(...q!)) : -1),
        tolerance: 0,
      };
    }),
  },
  {
    kernel: "duel",
    cases: sizes.map(({ c, n, isMasked, seed, isOdd }) => ({
      tensors: { v: input(draw(n, seed + 1, isOdd)), theta: changed(draw(c * n, seed, isOdd)) },
      run: (kernels, at) => kernels.duel(c, n, at["v"]!, at["theta"]!, !isMasked),
      twin: ({ v, theta }, r) => {
        for (let i = 0; i < n; i++) {
          let sum = 0;
          if (!isMasked) for (let a = 0; a < c; a++) sum = r(sum + theta![a * n + i]!);
          const shift = r(v![i]! - r(sum * r(1 / c)));
          for (let a = 0; a < c; a++) theta![a * n + i] = r(theta![a * n + i]! + shift);
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    })),
  },
  {
    kernel: "duelBackward",
    cases: sizes.map(({ c, n, seed, isOdd }) => ({
      tensors: { d: changed(draw(c * n, seed, isOdd)), dv: input(draw(n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.duelBackward(c, n, at["d"]!, at["dv"]!),
      twin: ({ d, dv }, r) => {
        for (let i = 0; i < n; i++) {
          const share = r(dv![i]! * r(1 / c));
          for (let a = 0; a < c; a++) d![a * n + i] = r(d![a * n + i]! - share);
        }
      },
      tolerance: isOdd ? 0 : 1e-5,
    })),
  },
];

/** c means of which some are not available, but the first is; and a temperature. */
const soft = fc
  .record({ c: size(1), n: fc.integer({ min: 1, max: 9 }), temperature: fc.constantFrom(0.03, 1, 5), seed, isOdd })
  .map(({ c, seed, isOdd, ...rest }) => {
    const q = draw(c, seed, isOdd).map((x, a) => (a && (a * (seed + 3)) % 4 === 0 ? Number.NEGATIVE_INFINITY : x));
    return { ...rest, c, seed, isOdd, q, action: (seed % 997) % c };
  })
  .map((given) => ({ ...given, action: given.q[given.action] === Number.NEGATIVE_INFINITY ? 0 : given.action }));

const probabilities = (q: Float64Array, temperature: number): number[] => {
  const sum = logSumExp([...q], temperature);
  return [...q].map((x) => Math.exp((x - sum) / temperature));
};

/** Exponentials have no twin of the same bits; odd numbers are looked at for their accesses alone. */
const SOFT: Spec[] = [
  {
    kernel: "softmax",
    cases: soft.map(({ c, temperature, q, isOdd }) => ({
      tensors: { q: input(q), p: output(c) },
      run: (kernels, at) => kernels.softmax(c, at["q"]!, temperature, at["p"]!),
      ...inexact(isOdd, ({ q, p }) => {
        p!.set(probabilities(q!, temperature));
        return logSumExp([...q!], temperature);
      }),
    })),
  },
  {
    kernel: "conservative",
    cases: soft.map(({ c, n, q, action, seed, isOdd }) => ({
      tensors: { q: input(q), p: output(c), d: changed(draw(c * n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.conservative(c, n, at["q"]!, action, 0.7, at["p"]!, at["d"]!),
      ...inexact(isOdd, ({ q, p, d }) => {
        p!.set(probabilities(q!, 1));
        for (let i = 0; i < c * n; i++) {
          const a = Math.floor(i / n);
          d![i]! += (0.7 / n) * (p![a]! - (a === action ? 1 : 0));
        }
        return 0.7 * (logSumExp([...q!], 1) - q![action]!);
      }),
    })),
  },
  {
    kernel: "munchausen",
    cases: soft.map(({ c, temperature, q, action, isOdd }) => ({
      tensors: { q: input(q), p: output(c) },
      run: (kernels, at) => kernels.munchausen(c, at["q"]!, action, 0.9, temperature, -1, at["p"]!),
      ...inexact(isOdd, ({ q, p }) => {
        p!.set(probabilities(q!, temperature));
        return 0.9 * Math.max(-1, q![action]! - logSumExp([...q!], temperature));
      }),
    })),
  },
  {
    kernel: "softValue",
    cases: soft.map(({ c, n, temperature, q, seed, isOdd }) => ({
      tensors: { theta: input(draw(c * n, seed + 1, isOdd)), q: input(q), p: output(c), v: output(n) },
      run: (kernels, at) => kernels.softValue(c, n, at["theta"]!, at["q"]!, temperature, at["p"]!, at["v"]!),
      ...inexact(isOdd, ({ theta, q, p, v }) => {
        p!.set(probabilities(q!, temperature));
        for (let i = 0; i < n; i++) {
          v![i] = 0;
          for (let a = 0; a < c; a++) {
            if (p![a]! > 0) v![i]! += p![a]! * (theta![a * n + i]! - temperature * Math.log(p![a]!));
          }
        }
      }),
    })),
  },
];

function inexact(isOdd: boolean, twin: NonNullable<Case["twin"]>): Pick<Case, "twin" | "isExact" | "tolerance"> {
  return isOdd ? { tolerance: 0 } : { twin, isExact: false, tolerance: 1e-4 };
}

const losses = fc.record({
  m: size(1),
  n: fc.oneof(fc.integer({ min: 1, max: 9 }), size(1)),
  isWeighted: fc.boolean(),
  isSquared: fc.boolean(),
  alias: fc.constantFrom("none", "td", "dq"),
  seed,
  isOdd,
});

const tdLoss: Spec = {
  kernel: "tdLoss",
  cases: losses.map(
    ({ m: n, isWeighted, isSquared, alias, seed, isOdd }): Case => ({
      tensors: {
        q: { ...input(draw(n, seed, isOdd).map((x) => 3 * x)), isOutput: alias !== "none" },
        y: input(draw(n, seed + 1, isOdd)),
        w: input(draw(isWeighted ? n : 0, seed + 2, isOdd)),
        td: output(alias === "td" ? 0 : n),
        dq: output(alias === "dq" ? 0 : n),
      },
      run: (kernels, at) => {
        const [td, dq] = [at[alias === "td" ? "q" : "td"]!, at[alias === "dq" ? "q" : "dq"]!];
        return kernels.tdLoss(n, at["q"]!, at["y"]!, Number(isSquared), isWeighted ? at["w"]! : 0, td, dq);
      },
      twin: (t, r) => {
        const [td, dq] = [t[alias === "td" ? "q" : "td"]!, t[alias === "dq" ? "q" : "dq"]!];
        const share = r(1 / n);
        let total = 0;
        for (let i = 0; i < n; i++) {
          const d = r(t["q"]![i]! - t["y"]![i]!);
          const weight = isWeighted ? t["w"]![i]! : 1;
          const size = Math.abs(d);
          const huber = size <= 1 ? r(r(0.5 * d) * d) : r(size - 0.5);
          total += r(weight * (isSquared ? r(d * d) : huber));
          const slope = isSquared ? r(2 * d) : Math.max(-1, Math.min(1, d));
          td[i] = d;
          dq[i] = r(r(share * weight) * slope);
        }
        return r(total / n);
      },
      tolerance: isOdd ? 0 : 1e-5,
    }),
  ),
};

/** Sums over the n targets y of one quantile, in four lanes: its loss, and the derivative's sign turned. */
function quantileOf(y: Float64Array, theta: number, midpoint: number, r: Round): { loss: number; slope: number } {
  const [losses, slopes] = [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ];
  y.forEach((wanted, j) => {
    const u = r(wanted - theta);
    const weight = u < 0 ? r(1 - midpoint) : midpoint;
    const size = Math.abs(u);
    const clipped = Math.min(size, 1);
    losses[j % 4] = r(losses[j % 4]! + r(weight * r(clipped * r(size - r(0.5 * clipped)))));
    slopes[j % 4] = r(slopes[j % 4]! + r(weight * Math.max(-1, Math.min(1, u))));
  });
  return { loss: fold(losses, r), slope: fold(slopes, r) };
}

const quantileLoss: Spec = {
  kernel: "quantileLoss",
  cases: losses.map(({ m: most, n, isWeighted, seed, isOdd }): Case => {
    // Of many quantiles, few rows: the twin takes m n^2 steps.
    const m = n > 9 ? 1 + (most % 5) : most;
    // Targets are read four at a time.
    const y = output(m * n + up4(n) - n).values as Float64Array;
    y.set(draw(m * n, seed + 1, isOdd));
    return {
      tensors: {
        theta: input(draw(m * n, seed, isOdd)),
        y: input(y),
        w: input(draw(isWeighted ? m : 0, seed + 2, isOdd)),
        td: output(m),
        dtheta: output(m * n),
      },
      run: (kernels, at) => {
        const w = isWeighted ? at["w"]! : 0;
        return kernels.quantileLoss(m, n, at["theta"]!, at["y"]!, w, at["td"]!, at["dtheta"]!);
      },
      twin: ({ theta, y, w, td, dtheta }, r) => {
        const share = r(1 / n);
        let total = 0;
        for (let b = 0; b < m; b++) {
          const weight = isWeighted ? w![b]! : 1;
          let [sum, predicted, wanted] = [0, 0, 0];
          for (let i = 0; i < n; i++) {
            const at = b * n + i;
            const midpoint = r(r(i + 0.5) * share);
            const { loss, slope } = quantileOf(y!.subarray(b * n, (b + 1) * n), theta![at]!, midpoint, r);
            dtheta![at] = r(-r(r(weight * share) / m) * slope);
            sum = r(sum + loss);
            predicted = r(predicted + theta![at]!);
            wanted = r(wanted + y![at]!);
          }
          total += r(r(weight * sum) * share);
          td![b] = r(r(predicted - wanted) * share);
        }
        return r(total / m);
      },
      tolerance: isOdd ? 0 : 1e-4,
    };
  }),
};

const bellman: Spec = {
  kernel: "bellman",
  cases: fc.record({ seed, isOdd, isLast: fc.boolean() }).map(({ seed, isOdd, isLast }): Case => {
    const [reward, worth] = draw(2, seed, isOdd) as unknown as [number, number];
    const discount = isLast ? 0 : Math.abs(draw(1, seed + 1, isOdd)[0]!);
    return {
      tensors: {},
      run: (kernels) => kernels.bellman(reward, discount, worth),
      twin: (_, r) => (discount === 0 ? reward : r(reward + r(discount * worth))),
      tolerance: isOdd ? 0 : 1e-6,
    };
  }),
};

export const ACTIONS: Spec[] = [...VALUES, ...SOFT, tdLoss, quantileLoss, bellman];
