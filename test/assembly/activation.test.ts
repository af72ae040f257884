import { describe, expect, test } from "vitest";
import { Activation } from "../../assembly/abi.js";
import { ACTIVATIONS } from "../reference/network.js";
import { KernelBench } from "../support/kernels.js";

const bench = new KernelBench();
const { exports } = bench;

const KINDS = [
  ["tanh", Activation.Tanh, 4e-7],
  ["gelu", Activation.Gelu, 4e-7],
  ["linear", Activation.Linear, 0],
] as const;

/** Numbers of all sizes and both signs, near 0 and far beyond where the function is flat. */
const POINTS = [0, 0.3499, 0.3501, 9.9, 10.1, 1e6, 1e30].flatMap((x) => [x, -x]);
for (let size = -40; size <= 5; size += 0.03) POINTS.push(2 ** size, -(2 ** size));
while (POINTS.length % 4 !== 0) POINTS.push(0);

function activated(kind: Activation, points: readonly number[]) {
  bench.reset();
  const z = bench.f32(points.length, points);
  const given = Array.from(z.data);
  const slope = bench.f32(points.length);
  exports.activate(kind, points.length, z.at, slope.at);
  expect(bench.guardsHold()).toBe(true);
  return { given, y: z.data, slopes: slope.data };
}

describe.each(KINDS)("%s", (name, kind, error) => {
  const twin = ACTIVATIONS[name];

  test("equals its f64 twin, also where it is flat", () => {
    const { given, y } = activated(kind, POINTS);
    given.forEach((x, i) => {
      expect(Math.abs(y[i]! - twin(x)), `${name}(${x})`).toBeLessThanOrEqual(error * Math.max(1, Math.abs(twin(x))));
      // Where there is no cancellation, it is exact to a share of its value.
      if (Math.abs(x) < 0.3) expect(Math.abs(y[i]! - twin(x))).toBeLessThanOrEqual(error * Math.abs(twin(x)));
    });
  });

  test("its slope equals central differences of the twin", () => {
    const points = POINTS.filter((x) => Math.abs(x) < 1e3);
    while (points.length % 4 !== 0) points.push(0);
    const { given, slopes } = activated(kind, points);
    given.forEach((x, i) => {
      const step = 1e-5 * Math.max(1, Math.abs(x));
      const slope = (twin(x + step) - twin(x - step)) / (2 * step);
      expect(Math.abs(slopes[i]! - slope), `${name}'(${x})`).toBeLessThan(2e-6);
    });
  });

  test("keeps NaN, and 0 is 0", () => {
    const { y } = activated(kind, [Number.NaN, 0, -0, 1]);
    expect(y[0]).toBeNaN();
    expect([y[1], y[2]]).toEqual([0, -0]);
  });
});

test("a sloped gradient is the product of slope, factor and number", () => {
  for (let n = 4; n <= 24; n += 4) {
    bench.reset();
    const [x, slope] = [1, 2].map((k) =>
      bench.f32(
        n,
        Float32Array.from({ length: n }, (_, i) => Math.sin(k * i + k)),
      ),
    );
    const y = bench.f32(n);
    exports.scaleSloped(n, 0.7, x!.at, slope!.at, y.at);
    y.data.forEach((value, i) => {
      expect(value).toBeCloseTo(0.7 * x!.data[i]! * slope!.data[i]!, 6);
    });
    expect(bench.guardsHold()).toBe(true);
  }
});
