/** What small changes of a recommender's inputs do to its rankings, with and without adversarial training. */
import { DQN } from "../../../src/engine/index.js";
import { attackRanking, type RankingState } from "../../../src/evaluation/index.js";
import { DAY } from "../../../src/protocol/index.js";
import { Recommender } from "../../../src/recommender/index.js";
import { Platform } from "../../../src/simulator/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** Worlds after the first hundred, which tuning did not use. */
const WORLD = { viewers: 200, streamers: 300, days: 6, warmupDays: 3 } as const;
const TUNED = 100;
const WORLDS = 6;
/** Rankings that are attacked, of the last day, and one in so many of them. */
const STATES = 40;
const EVERY = 25;
/** How far the attack moves each feature, most of which lie in [-1, 1]. */
const EPSILONS = [0.01, 0.03, 0.1] as const;
/** How far training moves them, by arm. */
const ARMS = { plain: 0, adversarial: 0.03 } as const;

/** A trained recommender's agent with rankings that it was asked for, and how long viewers watched. */
function trained(adversarialEpsilon: number, seed: number): { agent: DQN; states: RankingState[]; minutes: number } {
  let agent: DQN | undefined;
  const states: RankingState[] = [];
  let [isLast, count] = [false, 0];
  const recommender = new Recommender({ seed, learner: { adversarialEpsilon } }, (options) => {
    agent = new DQN(options);
    const evaluate = agent.evaluate.bind(agent);
    agent.evaluate = (observation, candidates, noise) => {
      const values = evaluate(observation, candidates, noise);
      if (isLast && values.length > 1 && states.length < STATES && count++ % EVERY === 0) {
        const [seen, rows] = [observation, candidates].map((each) => Float32Array.from(each as ArrayLike<number>));
        states.push({ observation: seen!, candidates: rows! });
      }
      return values;
    };
    return agent;
  });
  const platform = new Platform(recommender, { ...WORLD, seed });
  platform.advance((WORLD.days - 1) * DAY);
  isLast = true;
  platform.advance(WORLD.days * DAY);
  return { agent: agent!, states, minutes: platform.result().watchMinutesPerViewerDay };
}

function figuresOf(arm: keyof typeof ARMS, seed: number): Result[] {
  const { agent, states, minutes } = trained(ARMS[arm], seed);
  const features = agent.options.candidates!.features;
  const score = (observation: Float32Array, rows: Float32Array) => agent.evaluate(observation, rows).slice();
  const results: Result[] = [{ metric: `${arm}:watch_min_per_user_day`, unit: "min", value: minutes }];
  for (const epsilon of EPSILONS) {
    const { tau, topFlips, random } = attackRanking(score, states, { features, epsilon });
    results.push(
      { metric: `${arm}:tau_at_${epsilon}`, unit: "1", value: tau, n: states.length },
      { metric: `${arm}:top_flips_at_${epsilon}`, unit: "share", value: topFlips, n: states.length },
      { metric: `${arm}:random_tau_at_${epsilon}`, unit: "1", value: random.tau, n: states.length },
    );
  }
  agent.dispose();
  return results;
}

/** One world with each way to train. */
export const ATTACK: readonly ProcessCase[] = [
  {
    name: "farsight/attack",
    title:
      "rankings under changes of the inputs of at most epsilon, paired worlds: with and without adversarial training",
    seeds: WORLDS,
    recipe: { WORLD, TUNED, STATES, EVERY, EPSILONS, ARMS },
    run: ({ seed, say }: CaseContext) =>
      (Object.keys(ARMS) as (keyof typeof ARMS)[]).flatMap((arm) => {
        say(arm);
        return figuresOf(arm, TUNED + seed);
      }),
  },
];
