import { table } from "../../src/cli/writing/table.js";
import { DQN, type Environment, evaluate, type StepResult, train } from "../../src/index.js";
import { bootstrapInterval, interquartileMean, meanInterval } from "../../src/statistics/intervals.js";
import type { CaseContext, ProcessCase } from "../harness/suite.js";
import { CONTROL, type Control, merged, type Recipe } from "./recipes.js";
import { type Group, type Outcome, valuesOf, withOutcomes } from "./suite.js";
import { figuresOf, medianOf, REPORTS, SEEDS, TEST, TRAINING, VALIDATION } from "./trials.js";

const TESTS = 100;
const RESAMPLES = 10_000;

/** An environment whose observations are multiplied and shifted. */
class Scaled implements Environment {
  readonly observationSize: number;
  readonly actions?: number;
  readonly #inner: Environment;
  readonly #scale: readonly number[];
  readonly #shift: readonly number[];
  readonly #observation: Float32Array;

  constructor(inner: Environment, { scale = [], shift = [] }: Recipe) {
    this.#inner = inner;
    this.observationSize = inner.observationSize;
    if (inner.actions !== undefined) this.actions = inner.actions;
    this.#scale = scale;
    this.#shift = shift;
    this.#observation = new Float32Array(inner.observationSize);
  }

  reset(seed?: number): Float32Array {
    return this.#scaled(this.#inner.reset(seed));
  }

  step(action: number): StepResult {
    const result = this.#inner.step(action);
    return { ...result, observation: this.#scaled(result.observation) };
  }

  #scaled(observation: ArrayLike<number>): Float32Array {
    for (let i = 0; i < observation.length; i++) {
      this.#observation[i] = observation[i]! * (this.#scale[i] ?? 1) + (this.#shift[i] ?? 0);
    }
    return this.#observation;
  }
}

/** An environment that measures how long its episodes take, from the reset with the first seed of a round on. */
class Timed implements Environment {
  readonly observationSize: number;
  readonly actions?: number;
  readonly #inner: Environment;
  readonly #firstSeed: number;
  #last = 0;
  /** Milliseconds of all rounds. */
  elapsedMs = 0;

  constructor(inner: Environment, firstSeed: number) {
    this.#inner = inner;
    this.#firstSeed = firstSeed;
    this.observationSize = inner.observationSize;
    if (inner.actions !== undefined) this.actions = inner.actions;
  }

  reset(seed?: number): ArrayLike<number> {
    // Before a round the agent trained: that does not count.
    if (seed === this.#firstSeed) this.#last = performance.now();
    const observation = this.#inner.reset(seed);
    this.#count();
    return observation;
  }

  step(action: number): StepResult {
    const result = this.#inner.step(action);
    this.#count();
    return result;
  }

  #count(): void {
    const now = performance.now();
    this.elapsedMs += now - this.#last;
    this.#last = now;
  }
}

async function run({ make, recipe }: Control, { seed, say }: CaseContext) {
  const { steps, options, scale, shift } = recipe;
  const fresh = () => (scale || shift ? new Scaled(make(), recipe) : make());
  const { observationSize, actions } = fresh();
  const agent = new DQN(merged(options, { observation: observationSize, actions, seed }));
  const first = VALIDATION + seed * 1000;
  const checks = new Timed(fresh(), first);
  const start = performance.now();
  const result = await train(agent, fresh(), {
    steps,
    seed: seed * TRAINING,
    progressEvery: Math.ceil(steps / REPORTS),
    evaluation: { environment: checks, seed: first, ...recipe.evaluation },
    onProgress({ step, meanReturn, evaluation }) {
      const greedy = evaluation ? `, greedy ${evaluation.meanReturn.toFixed(1)}` : "";
      say(`step ${step} of ${steps}: training ${meanReturn.toFixed(1)}${greedy}`);
    },
  });
  const trained = performance.now() - start - checks.elapsedMs;
  const returns = evaluate(agent, fresh(), { episodes: TESTS, seed: TEST });
  const figures = figuresOf(returns, result, start);
  agent.dispose();
  return [
    ...figures,
    { metric: "train_seconds", value: trained / 1000, unit: "s" },
    { metric: "steps_per_s", value: (1000 * result.steps) / trained, unit: "1/s" },
  ];
}

interface ControlCase extends ProcessCase {
  control: Control;
}

const cases: ControlCase[] = Object.entries(CONTROL).map(([name, control]) => ({
  name,
  seeds: SEEDS,
  recipe: { ...control.recipe, tests: TESTS },
  control,
  run: (context) => run(control, context),
}));

function summary({ name, control }: ControlCase, results: readonly Outcome[]) {
  const returns = valuesOf(results, "return_mean");
  const seeds = results.map(({ seed }) => seed);
  // Each case is a stratum of its own: its seeds are resampled among themselves.
  const iqm = bootstrapInterval(returns, { statistic: interquartileMean, resamples: RESAMPLES, seed: 1 });
  const solved = returns.filter((x) => x >= control.solved).length;
  const least = Math.min(...returns);
  const common = { case: name, n: seeds.length, seeds };
  const means = ["steps", "train_seconds", "seconds", "steps_per_s"].map((metric) => {
    const { value, lo, hi } = meanInterval(valuesOf(results, metric));
    const bounds = seeds.length > 1 ? { lo, hi } : {};
    return { ...common, metric: `${metric}_mean`, value, unit: metric.endsWith("seconds") ? "s" : "1", ...bounds };
  });
  const rows = [
    { ...common, metric: "return_iqm", unit: "1", ...iqm },
    { ...common, metric: "return_min", unit: "1", value: least },
    { ...common, metric: "solved_seeds", unit: "1", value: solved },
    ...means,
  ];
  const median = (metric: string) => medianOf(results, metric);
  const line = [
    name,
    `${iqm.value.toFixed(1)} [${iqm.lo.toFixed(1)}, ${iqm.hi.toFixed(1)}]`,
    least.toFixed(1),
    `${solved}/${seeds.length}`,
    median("steps").toFixed(0),
    median("train_seconds").toFixed(1),
    median("seconds").toFixed(1),
    median("steps_per_s").toFixed(0),
  ];
  return { rows, line, returns };
}

export const control: Group = {
  cases,
  report(outcomes) {
    const rows = [];
    const lines = [];
    const all = [];
    for (const [each, results] of withOutcomes(cases, outcomes)) {
      const { rows: own, line, returns } = summary(each, results);
      rows.push(...own);
      lines.push(line);
      all.push(`${each.name}, seed by seed: ${returns.map((x) => x.toFixed(1)).join(" ")}`);
    }
    const header = [
      `greedy return, ${TESTS} episodes`,
      "IQM [95 %]",
      "least",
      "solved",
      "steps",
      "train s",
      "all s",
      "steps/s",
    ];
    const note = "steps, seconds and steps/s are medians; train s is without the checks";
    return { text: [table(header, lines), note, ...all].join("\n"), rows };
  },
};
