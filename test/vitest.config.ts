import { defineConfig } from "vitest/config";

/**
 * What takes long: learning, simulated platforms, whole programs, benchmarks. `npm run test:long` runs them, and `.ci/run`;
 * `npm test` runs all others.
 */
const LONG = [
  ...["bench", "examples", "simulator", "ranking", "site"].map((room) => `test/${room}/**/*.test.ts`),
  ...["bandit", "compress", "connect", "follow", "fromlog", "guessing", "inputs", "logs", "map"].map(
    (name) => `test/cli/${name}*.test.ts`,
  ),
  ...["offpolicy", "reports/commands", "serve", "trainenv", "tune"].map((name) => `test/cli/${name}*.test.ts`),
  ...["abtest", "offpolicylog", "fromlog/learn"].map((name) => `test/evaluation/${name}.test.ts`),
  ...["engine", "training"].map((room) => `test/${room}/readme.test.ts`),
  ...["baselines/registry", "engine/compression/distill", "server/cost", "faults/**/*"].map(
    (name) => `test/${name}.test.ts`,
  ),
  ...["recommender/clocks", "recommender/serving/bonus"].map((name) => `test/${name}.test.ts`),
];

/** So long that only what hangs takes it, on any machine: no test has a limit of its own. */
const LIMIT = 600_000;

/** The runs of tests belong into no registry but those that tests name. */
const COMMON = { testTimeout: LIMIT, hookTimeout: LIMIT, env: { LIVEQ_RUNS: "none" } };
const ALL = ["test/**/*.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // A worker loads each module once for all its files: a fresh start for each took a minute of the suite.
      { test: { ...COMMON, name: "everyday", include: ALL, exclude: LONG, isolate: false } },
      { test: { ...COMMON, name: "long", include: LONG } },
    ],
  },
});
