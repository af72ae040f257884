import { describe, expect, test } from "vitest";
import { Normalization, Region, Status } from "../../assembly/abi.js";
import { type Network, unpackNetwork } from "../reference/network.js";
import { boundsOf, CASES, planOf, sigmaOf, sizesOf } from "../support/cases.js";
import { createAgent, KernelBench, regionOf } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

/** All layers one after the other: W^T, b, gain and shift; those of the value stream behind. */
function plainOf({ hidden, head, value }: Network): number[] {
  const layers = [...hidden, head].flatMap(({ inputs, outputs, w, b, gain = [], shift = [] }) => {
    const transposed = Array.from({ length: inputs * outputs }, (_, at) => {
      const [j, i] = [Math.floor(at / inputs), at % inputs];
      return w[i * outputs + j]!;
    });
    return [...transposed, ...b, ...gain, ...shift];
  });
  return value ? [...layers, ...plainOf(value)] : layers;
}

describe.each(CASES.filter(({ normalization }) => normalization !== Normalization.Batch))("layers: $name", (given) => {
  const { exports } = new KernelBench(0);
  expect(createAgent(exports, sizesOf(given), given.hidden, sigmaOf(given), boundsOf(given))).toBe(Status.Ok);
  const f32 = (region: Region) => regionOf(exports, region);
  const layersAt = (region: Region) => plainOf(unpackNetwork(exports, f32(region), planOf(given)));

  test("leave in plain form, and enter both networks, and nothing else there changes", () => {
    const plain = layersAt(Region.Online);
    exports.unpackWeights();
    expect(Array.from(f32(Region.Gradient).subarray(0, plain.length))).toEqual(plain);
    const before = f32(Region.Online).slice();
    const others = numbers(plain.length, 77);
    f32(Region.Gradient).set(others);
    exports.packWeights();
    expect(layersAt(Region.Online)).toEqual(Array.from(others));
    expect(layersAt(Region.Target)).toEqual(Array.from(others));
    expect(f32(Region.Online).filter((x, i) => x !== before[i]).length).toBe(plain.length);
  });
});
