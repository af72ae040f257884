import type { ProcessCase } from "../../bench/harness/suite.js";

/** Cases for tests of the pool. */
export const CASES: readonly ProcessCase[] = [
  {
    name: "product",
    run({ seed, options, say }) {
      say("half done");
      return [{ metric: "product", value: seed * Number(options["factor"]), unit: "1" }];
    },
  },
  {
    name: "fails",
    run() {
      throw new Error("as it must");
    },
  },
  { name: "ends", run: () => process.exit(3) },
  { name: "waits", run: () => new Promise(() => {}) },
];
