import { defineConfig } from "vitest/config";

/** Counts the garbage of a million calls, so it needs a heap without other tests' modules. */
const ALONE = ["test/engine/garbage.test.ts"];

/** So long that only what hangs takes it, on any machine: no test has a limit of its own. */
const LIMIT = 600_000;

/** The runs of tests belong into no registry but those that tests name. */
const COMMON = { testTimeout: LIMIT, hookTimeout: LIMIT, env: { LIVEQ_RUNS: "none" } };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // A worker loads each module once for all its files: a fresh start for each took a minute of the suite.
      { test: { ...COMMON, name: "shared", include: ["test/**/*.test.ts"], exclude: ALONE, isolate: false } },
      { test: { ...COMMON, name: "alone", include: ALONE } },
    ],
  },
});
