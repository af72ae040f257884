import { type EnvironmentName, optionsOf, RECIPES, type Settings } from "./settings.js";

const CLASSES = { "CartPole-v1": "CartPole", "Acrobot-v1": "Acrobot", "MountainCar-v0": "MountainCar" } as const;

/** The program that does the same training, bit for bit, in Node: it prints the hash that the page shows. */
export function codeOf(
  environment: EnvironmentName,
  settings: Settings,
  sizes: { observation: number; actions: number },
  judgeSeed = 1_000_000,
): string {
  const { steps, solved, evaluation, scale, shift } = RECIPES[environment];
  const options = JSON.stringify(optionsOf(environment, settings, sizes), undefined, 2).replaceAll(/"(\w+)":/g, "$1:");
  const name = CLASSES[environment];
  const scaled = scale
    ? `
/** The same environment, with observations of about the same size. */
class Scaled extends ${name} {
  reset(seed) {
    return this.scaled(super.reset(seed));
  }
  step(action) {
    const result = super.step(action);
    return { ...result, observation: this.scaled(result.observation) };
  }
  scaled(observation) {
    return Float32Array.from(observation, (x, i) => x * ${JSON.stringify(scale)}[i] + ${JSON.stringify(shift)}[i]);
  }
}
`
    : "";
  const make = `new ${scale ? "Scaled" : name}()`;
  return `// node train.mjs, after: npm install liveq
import { createHash } from ${JSON.stringify("node:crypto")};
import { ${name}, DQN, train } from ${JSON.stringify("liveq")};
${scaled}
const agent = new DQN(${options});

const result = await train(agent, ${make}, {
  steps: ${steps},
  seed: ${settings["seed"]},
  progressEvery: 20,
  evaluation: {
    environment: ${make},
    every: ${evaluation.every},
    episodes: ${evaluation.episodes},
    seed: ${judgeSeed},
    stopAt: ${solved},
  },
});
console.log(result.ended, "after", result.steps, "steps; best", result.best);
console.log("weights", createHash("sha256").update(agent.copyWeights()).digest("hex"));
`;
}
