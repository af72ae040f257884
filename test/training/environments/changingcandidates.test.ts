import { describe, expect, test } from "vitest";
import { ChangingCandidates, DQN, train } from "../../../src/index.js";
import { Random } from "../../../src/numeric/random.js";
import { type Choices, greedyByReward, optimum, worthOf } from "../../reference/offers.js";

const { model } = ChangingCandidates;

/** Mean discounted return of simulated episodes; what comes after their 50 steps is worth at most 0.9^50 of it. */
function simulated(choose: Choices, episodes: number): number {
  const environment = new ChangingCandidates();
  let sum = 0;
  for (let seed = 0; seed < episodes; seed++) {
    environment.reset(seed);
    let weight = 1;
    for (;;) {
      const { reward, truncated } = environment.step(choose(environment.mood, environment.set));
      sum += weight * reward;
      weight *= model.gamma;
      if (truncated) break;
    }
  }
  return sum / episodes;
}

describe("ChangingCandidates", () => {
  test("is a proper chain: probabilities sum to 1, sets name different items, and their sizes differ", () => {
    for (const row of model.transitions.flat()) {
      expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
      for (const p of row) expect(p).toBeGreaterThanOrEqual(0);
    }
    for (const set of model.sets) {
      expect(new Set(set).size).toBe(set.length);
      for (const item of set) expect(model.items[item]).toHaveLength(2);
    }
    expect(new Set(model.sets.map((set) => set.length)).size).toBeGreaterThan(3);
    expect(model.rewards.map((row) => row.length)).toEqual(model.moods.map(() => model.items.length));
  });

  test("shows its mood and a set's features, pays by the mood, and is truncated after 50 steps", () => {
    const environment = new ChangingCandidates();
    const random = new Random(1);
    environment.reset(3);
    for (let step = 1; step <= 50; step++) {
      const { mood, set } = environment;
      const rows = environment.candidates();
      const items = model.sets[set]!;
      expect(Array.from(rows)).toEqual(items.flatMap((item) => model.items[item]!).map(Math.fround));
      const action = random.below(items.length);
      const { observation, reward, terminated, truncated } = environment.step(action);
      expect(reward).toBe(model.rewards[mood]![items[action]!]);
      expect(Array.from(observation)).toEqual(model.moods.map((_, i) => (i === environment.mood ? 1 : 0)));
      expect([terminated, truncated]).toEqual([false, step === 50]);
    }
    expect(() => environment.step(0)).toThrow("reset() must be called");
    environment.reset(3);
    const size = environment.candidates().length / 2;
    expect(() => environment.step(6)).toThrow('"action" must be an integer in [0, 5], got 6');
    if (size < 6) expect(() => environment.step(size)).toThrow(`in [0, ${size - 1}] now, got ${size}`);
  });

  test("starts, draws sets and changes moods with the model's probabilities", () => {
    const environment = new ChangingCandidates();
    const starts = new Float64Array(model.moods.length);
    const sets = new Float64Array(model.sets.length);
    const next = new Float64Array(model.moods.length);
    let counted = 0;
    let steps = 0;
    for (let seed = 0; seed < 1500; seed++) {
      environment.reset(seed);
      starts[environment.mood]! += 1 / 1500;
      for (let truncated = false; !truncated; ) {
        const { mood, set } = environment;
        sets[set]!++;
        steps++;
        truncated = environment.step(0).truncated;
        if (mood !== 1 || model.sets[set]![0] !== 1) continue;
        counted++;
        next[environment.mood]!++;
      }
    }
    for (const share of starts) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.05);
    for (const count of sets) expect(Math.abs(count / steps - 0.1)).toBeLessThan(0.005);
    expect(counted).toBeGreaterThan(500);
    next.forEach((count, mood) => {
      expect(Math.abs(count / counted - model.transitions[1]![1]![mood]!)).toBeLessThan(0.06);
    });
  });

  test("pays its optimum to the optimal policy, and 38 % of it to one that looks at the next reward only", () => {
    const { worth, choose } = optimum(model);
    expect(worth).toBeCloseTo(5.062, 3);
    expect(worthOf(model, choose)).toBeCloseTo(worth, 9);
    const greedy = worthOf(model, greedyByReward(model));
    expect(greedy / worth).toBeCloseTo(0.377, 3);
    expect(Math.abs(simulated(choose, 3000) / worth - 1)).toBeLessThan(0.02);
    expect(Math.abs(simulated(greedyByReward(model), 3000) / greedy - 1)).toBeLessThan(0.03);
    // No single choice that differs is better.
    model.moods.forEach((_, mood) => {
      model.sets.forEach((items, set) => {
        for (let other = 0; other < items.length; other++) {
          const changed: Choices = (m, s) => (m === mood && s === set ? other : choose(m, s));
          expect(worthOf(model, changed)).toBeLessThanOrEqual(worth + 1e-9);
        }
      });
    });
  });

  test("is learned to within 2 % of the optimum, which gamma 0 does not come near", async () => {
    const learned = async (gamma: number) => {
      const { observationSize, features, maxCandidates } = new ChangingCandidates();
      const agent = new DQN({
        observation: observationSize,
        candidates: { max: maxCandidates, features },
        hidden: [32, 32],
        gamma,
        learningRate: { type: "linear", from: 2e-3, to: 1e-4, steps: 6000 },
        batchSize: 64,
        learningStarts: 200,
        trainEvery: 2,
        targetEvery: 50,
        tau: 1,
        epsilon: 0.5,
        seed: 1,
      });
      await train(agent, new ChangingCandidates(), { steps: 6000 });
      const choose: Choices = (mood, set) => {
        const observation = model.moods.map((_, i) => (i === mood ? 1 : 0));
        return agent.act(
          observation,
          model.sets[set]!.flatMap((item) => model.items[item]!),
          0,
        );
      };
      return worthOf(model, choose) / optimum(model).worth;
    };
    expect(await learned(model.gamma)).toBeGreaterThan(0.98);
    expect(await learned(0)).toBeLessThan(0.5);
  });
});
