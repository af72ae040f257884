/** Numbers that are kept as halves and as bytes. */
import fc from "fast-check";
import { halfValue, nearestHalf } from "../../reference/storage.js";
import { type Case, POISON } from "../harness.js";
import { draw, input, isOdd, output, type Spec, seed, size } from "./numbers.js";

/** What one vector reads behind the last of n elements, where it begins at a single one. */
const beyond = (n: number, elements: number) => new Array<number>(n % 4 ? elements : 0).fill(POISON);
const bytes = (n: number) => ({ ...output(n), type: "u8" as const });

const HALF_MAX = 65504;

const toHalves: Spec = {
  kernel: "toHalves",
  cases: fc.record({ n: size(), power: fc.integer({ min: -26, max: 16 }), seed, isOdd }).map(
    ({ n, power, seed, isOdd }): Case => ({
      tensors: {
        // Of all sizes down to what becomes 0; odd ones are subnormal or at the end of the range.
        x: input([...draw(n, seed, isOdd).map((x) => clamp(isOdd ? x : x * 2 ** power)), ...beyond(n, 3)]),
        h: bytes(2 * n),
      },
      run: (kernels, at) => kernels.toHalves(n, at["x"]!, at["h"]!),
      twin: ({ x, h }) => {
        for (let i = 0; i < n; i++) {
          const half = nearestHalf(x![i]!);
          h!.set([half & 255, half >> 8], 2 * i);
        }
      },
      tolerance: 0,
    }),
  ),
};

const clamp = (x: number) => Math.max(-HALF_MAX, Math.min(HALF_MAX, x));

const fromHalves: Spec = {
  kernel: "fromHalves",
  cases: fc.record({ n: size(), seed }).map(
    ({ n, seed }): Case => ({
      tensors: {
        h: { values: [...draw(2 * n, seed, false).map((x) => Math.floor(128 + 128 * x)), ...beyond(n, 6)], type: "u8" },
        x: output(n),
      },
      run: (kernels, at) => kernels.fromHalves(n, at["h"]!, at["x"]!),
      twin: ({ h, x }) => {
        for (let i = 0; i < n; i++) {
          const half = h![2 * i]! + 256 * h![2 * i + 1]!;
          const value = halfValue(half);
          // Infinite halves and NaN continue as if their exponent were one more.
          const large = (half & 0x8000 ? -64 : 64) * (1024 + (half & 1023));
          x![i] = Number.isFinite(value) ? value : large;
        }
      },
      tolerance: 0,
    }),
  ),
};

const ranges = fc
  .record({ n: size(), low: fc.constantFrom(-1, 0, -1e6, -0.3), width: fc.constantFrom(1, 2.25, 255, 1e-3, 2e6), seed })
  .map(({ low, width, ...rest }) => ({ ...rest, low: Math.fround(low), high: Math.fround(low + width) }))
  .filter(({ low, high }) => low < high);

const nearestEven = (x: number) => {
  const down = Math.floor(x);
  return x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
};

const toBytes: Spec = {
  kernel: "toBytes",
  cases: ranges.map(({ n, low, high, seed }): Case => {
    const within = (x: number) => Math.min(high, Math.max(low, Math.fround(low + (high - low) * (0.55 * x + 0.5))));
    return {
      tensors: { x: input([...draw(n, seed, false).map(within), ...beyond(n, 3)]), u: bytes(n) },
      run: (kernels, at) => kernels.toBytes(n, low, high, at["x"]!, at["u"]!),
      twin: ({ x, u }, r) => {
        const scale = r(255 / r(high - low));
        for (let i = 0; i < n; i++) u![i] = Math.min(255, nearestEven(r(r(x![i]! - low) * scale)));
      },
      tolerance: 0,
    };
  }),
};

const fromBytes: Spec = {
  kernel: "fromBytes",
  cases: ranges.map(
    ({ n, low, high, seed }): Case => ({
      tensors: {
        u: { values: [...draw(n, seed, false).map((x) => Math.floor(128 + 128 * x)), ...beyond(n, 3)], type: "u8" },
        x: output(n),
      },
      run: (kernels, at) => kernels.fromBytes(n, low, high, at["u"]!, at["x"]!),
      twin: ({ u, x }, r) => {
        const step = r(r(high - low) / 255);
        for (let i = 0; i < n; i++) x![i] = Math.min(high, r(low + r(u![i]! * step)));
      },
      tolerance: 0,
    }),
  ),
};

export const PACKED = [toHalves, fromHalves, toBytes, fromBytes];
