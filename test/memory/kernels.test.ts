import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Harness } from "./harness.js";
import { ACTIONS } from "./specs/actions.js";
import { PACKED } from "./specs/packed.js";
import { PRODUCTS } from "./specs/products.js";
import { ROWS } from "./specs/rows.js";
import { SQUASHED } from "./specs/squashed.js";

/** Of all kernels; `npm run test:memory` asks for more. */
const CALLS = Number(process.env["MEMORY_CALLS"] ?? 6000);
const SPECS = [...PRODUCTS, ...ROWS, ...ACTIONS, ...PACKED, ...SQUASHED];

const harness = new Harness();

describe("every call of a kernel keeps to its tensors, whatever stands beside them, and equals its twin", () => {
  test.each(SPECS)("$kernel", ({ cases }) => {
    const numRuns = Math.ceil(CALLS / SPECS.length);
    fc.assert(
      fc.property(cases, fc.nat(), (given, flush) => harness.check(given, flush)),
      { numRuns, seed: 1, includeErrorInReport: true },
    );
  });
});

/** ExportableAgent too, but without tensors, or within drawNoise; the sum tree has a test of its own. */
const OTHERS = [
  ...["huber", "huberGradient", "squared", "squaredGradient", "padded", "panelOffset", "exp", "log"],
  ...["seedRng", "nextU32", "uniform", "uniformIn", "below", "normals"],
  // Within gemm and adam.
  ...["gemmPart", "adamPart"],
  // Of slates: against their twins in test/assembly/slate.test.ts, within whole updates in instrument.test.ts.
  ...["choiceLoss", "choiceWeights", "conservativeSlate", "greedySlate", "joinChoices", "mixture", "splitChoices"],
  // Of int8: against their twins, with guards beside all tensors, in test/assembly/int8.test.ts.
  ...["addIndexRows", "dots", "endRow", "quantise", "rescale"],
  // Draws of continuous actions: test/assembly/squash.test.ts.
  ...["correlate", "drawUniform", "smooth", "tanh"],
  // Chances in f64: test/assembly/boltzmann.test.ts.
  ...["boltzmann", "drawn"],
  ...["treeAt", "treeSet", "treeSetAll", "treeGet", "treeTotal", "treeFind", "treeRebuild"],
];

test("no kernel is left out", () => {
  const exportsOf = (build: string) =>
    WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`.build/${build}.wasm`))).map(({ name }) => name);
  const engine = new Set(exportsOf("dqn"));
  const called = [...SPECS.map(({ kernel }) => kernel), ...OTHERS].sort();
  expect(
    exportsOf("kernels")
      .filter((name) => !engine.has(name))
      .sort(),
  ).toEqual(called);
});
