import { table } from "../../src/cli/writing/table.js";
import { DQN, train } from "../../src/index.js";
import { GAMMA, OfferedProbe, offer, PROBES, type Probe, ProbeEnvironment } from "../../test/support/probes.js";
import type { ProcessCase, Result } from "../harness/suite.js";
import { MUNCHAUSEN, merged, PROBE_OPTIONS, PROBE_RECIPE } from "./recipes.js";
import { type Group, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 5;
const MODES = ["actions", "candidates"] as const;

/**
 * The values of a state's actions under Munchausen's targets: the fixed point of q = r + alpha max(log-policy, clip)
 * for values r of a last step, with the log-policy scaled by the temperature. Its gaps between actions are wider than
 * those of the rewards (Vieillard et al. 2020, arXiv:2007.14430). One action alone keeps its value.
 */
function munchausenTruth(values: readonly number[]): number[] {
  const { alpha, temperature, clip } = MUNCHAUSEN;
  let q = [...values];
  for (let i = 0; i < 1000; i++) {
    const top = Math.max(...q);
    const sum = q.reduce((total, x) => total + Math.exp((x - top) / temperature), 0);
    const logs = q.map((x) => x - top - temperature * Math.log(sum));
    q = values.map((r, a) => r + alpha * Math.max(logs[a]!, clip));
  }
  return q;
}

/** The largest |value - truth| of an agent that has learned a probe. */
async function errorOf(probe: Probe, extra: object, seed: number, isOffered: boolean): Promise<number> {
  const actions = isOffered ? { candidates: { max: 2, features: 1 } } : { actions: probe.actions };
  const agent = new DQN(merged(PROBE_RECIPE.options, extra, { observation: 1, gamma: GAMMA, seed }, actions));
  const environment = isOffered ? new OfferedProbe(probe) : new ProbeEnvironment(probe);
  await train(agent, environment, { steps: PROBE_RECIPE.steps });
  const errors = probe.truth.map(({ observation, values }) => {
    const truth = "munchausen" in extra ? munchausenTruth(values) : values;
    const learned = agent.evaluate([observation], isOffered ? offer(probe) : undefined);
    return Math.max(...truth.map((value, action) => Math.abs(learned[action]! - value)));
  });
  agent.dispose();
  return Math.max(...errors);
}

const cases: ProcessCase[] = Object.entries(PROBE_OPTIONS).map(([name, extra]) => ({
  name: `probes/${name}`,
  seeds: SEEDS,
  recipe: { ...PROBE_RECIPE, extra },
  async run({ seed }) {
    const start = performance.now();
    const figures = [];
    for (const mode of MODES) {
      let worst = 0;
      for (const probe of PROBES) worst = Math.max(worst, await errorOf(probe, extra, seed, mode === "candidates"));
      figures.push({ metric: `value_error_${mode}`, value: worst, unit: "1", n: PROBES.length });
    }
    return [...figures, ...timeFigures(start, PROBE_RECIPE.steps * PROBES.length * MODES.length)];
  },
}));

export const probes: Group = {
  cases,
  report(outcomes) {
    const own = withOutcomes(cases, outcomes);
    const rows: (Result & { case: string })[] = [];
    const lines = [];
    for (const [{ name }, results] of own) {
      const errors = MODES.map((mode) => Math.max(...valuesOf(results, `value_error_${mode}`)));
      const seeds = results.map(({ seed }) => seed);
      MODES.forEach((mode, i) => {
        const metric = `value_error_max_${mode}`;
        rows.push({ case: name, metric, value: errors[i]!, unit: "1", n: seeds.length, seeds });
      });
      const seconds = valuesOf(results, "seconds").reduce((sum, x) => sum + x, 0);
      lines.push([name, ...errors.map((error) => error.toFixed(4)), `${results.length}`, seconds.toFixed(1)]);
    }
    const header = ["largest |value - truth|", "actions", "candidates", "seeds", "seconds"];
    return { text: table(header, lines), rows };
  },
};
