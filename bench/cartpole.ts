/**
 * CartPole-v1 on five seeds: does the engine learn, and how fast does it run? One page, as a user would write it.
 *
 * Every 5,000 steps the greedy policy plays 20 episodes; training ends once their mean reaches 495, or after 100,000
 * steps, and the best agent seen is judged by 100 other episodes.
 */
import { type Row, writeRows } from "../src/cli/results.js";
import { CartPole, DQN, evaluate, train } from "../src/index.js";

const STEPS = 100_000;
const CHECK_EVERY = 5_000;
const SEEDS = [1, 2, 3, 4, 5];
const SOLVED = 475;
const ENOUGH = 495;

const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

async function run(seed: number): Promise<{ score: number; steps: number; stepsPerSecond: number }> {
  const agent = new DQN({
    observation: 4,
    actions: 2,
    hidden: [120, 84],
    learningRate: { type: "linear", from: 1e-3, to: 1e-4, steps: STEPS },
    loss: "squared",
    batchSize: 64,
    capacity: STEPS,
    learningStarts: 1000,
    trainEvery: 2,
    targetEvery: 100,
    epsilon: { type: "linear", from: 1, to: 0.04, steps: 8000 },
    seed,
  });
  const enough = new AbortController();
  let best = { score: Number.NEGATIVE_INFINITY, file: agent.save() };
  let checking = 0;
  const start = performance.now();
  const { steps } = await train(agent, new CartPole(), {
    steps: STEPS,
    seed: seed * 100_000,
    progressEvery: CHECK_EVERY,
    signal: enough.signal,
    onProgress({ step, meanReturn, loss }) {
      const checked = performance.now();
      const score = mean(evaluate(agent, new CartPole(), { episodes: 20, seed: 5_000_000 + seed * 1000 }));
      if (score > best.score) best = { score, file: agent.save() };
      if (score >= ENOUGH) enough.abort();
      const figures = `training ${meanReturn.toFixed(0)}, greedy ${score.toFixed(0)}, loss ${loss.toFixed(2)}`;
      process.stderr.write(`seed ${seed}, step ${step}: ${figures}\n`);
      checking += performance.now() - checked;
    },
  });
  const seconds = (performance.now() - start - checking) / 1000;
  const score = mean(evaluate(DQN.load(best.file), new CartPole(), { episodes: 100, seed: 9_000_000 }));
  return { score, steps, stepsPerSecond: steps / seconds };
}

const at = process.argv.indexOf("--json");
const rows: Row[] = [];
let solved = 0;
for (const seed of SEEDS) {
  const { score, steps, stepsPerSecond } = await run(seed);
  if (score >= SOLVED) solved++;
  console.log(
    `seed ${seed}: ${score.toFixed(1)} over 100 greedy episodes, ${steps} steps at ${stepsPerSecond.toFixed(0)}/s`,
  );
  const common = { suite: "learning", case: "CartPole-v1", seeds: [seed] };
  rows.push({ ...common, metric: "return_mean", value: score, unit: "1", n: 100 });
  rows.push({ ...common, metric: "steps", value: steps, unit: "1" });
  rows.push({ ...common, metric: "steps_per_s", value: stepsPerSecond, unit: "1/s" });
}
console.log(`${solved} of ${SEEDS.length} seeds reach ${SOLVED}`);
rows.push({
  suite: "learning",
  case: "CartPole-v1",
  metric: "solved_seeds",
  value: solved,
  unit: "1",
  n: SEEDS.length,
});
if (at > 0) writeRows(process.argv[at + 1]!, rows);
process.exitCode = solved === SEEDS.length ? 0 : 1;
