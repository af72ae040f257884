import { describe, expect, test } from "vitest";
import { NumpyRandom } from "../../bench/recommender/numpy.js";

// All expected numbers are those of NumPy 2.4.6.
describe("NumPy's random numbers", () => {
  test("are the bits of default_rng(0).bit_generator.random_raw(4)", () => {
    const random = new NumpyRandom(0);
    expect(Array.from({ length: 4 }, () => random.bits())).toEqual([
      11749869230777074271n,
      4976686463289251617n,
      755828109848996024n,
      304881062738325533n,
    ]);
  });

  test("are drawn without repetition one call after the other, halves of 64 bits left over included", () => {
    const random = new NumpyRandom(0);
    expect([...random.choice(1500, 99).subarray(0, 8)]).toEqual([1289, 670, 1059, 489, 896, 883, 456, 198]);
    expect([...random.choice(40, 12)]).toEqual([36, 8, 30, 25, 32, 29, 11, 38, 5, 33, 15, 7]);
    // integers(0, 1682, 5)
    expect(Array.from({ length: 5 }, () => random.below(1682))).toEqual([308, 1033, 843, 47, 1559]);
  });

  test("follow the seed", () => {
    expect([...new NumpyRandom(12345).choice(1000, 10)]).toEqual([314, 794, 391, 640, 692, 225, 674, 203, 783, 987]);
  });
});
