import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // So long that only what hangs takes it, on any machine: no test has a limit of its own.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    // The runs of tests belong into no registry but those that tests name.
    env: { LIVEQ_RUNS: "none" },
  },
});
