import { describe, expect, test } from "vitest";
import { DQN, train } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { columns, coreFeatures, moments, pages, taste } from "../../src/recommender/index.js";
import { LiveEnvironment } from "../../src/simulator/index.js";

const OPTIONS = { streamers: 60, days: 6 };

/** Rewards and observations of a life in which `choose` picks. */
function live(environment: LiveEnvironment, seed: number, choose: (n: number) => number) {
  const observations = [Array.from(environment.reset(seed))];
  const rewards: number[] = [];
  for (;;) {
    const { observation, reward, terminated, truncated } = environment.step(choose(environment.streams.length));
    observations.push(Array.from(observation));
    rewards.push(reward);
    if (terminated || truncated) return { observations, rewards, terminated, truncated };
  }
}

describe("one viewer's life", () => {
  test("is the same for the same seed and the same actions, and another for another seed", () => {
    const first = live(new LiveEnvironment(OPTIONS), 3, () => 0);
    expect(live(new LiveEnvironment(OPTIONS), 3, () => 0)).toEqual(first);
    expect(live(new LiveEnvironment(OPTIONS), 4, () => 0)).not.toEqual(first);
    expect(first.observations.flat().every(Number.isFinite)).toBe(true);
  });

  test("offers a row for each stream on air, as many as the option allows", () => {
    const environment = new LiveEnvironment({ ...OPTIONS, maxCandidates: 2 });
    const random = new Random(1);
    environment.reset(1);
    let most = 0;
    for (let step = 0; step < 40; step++) {
      const n = environment.streams.length;
      most = Math.max(most, n);
      expect(environment.candidates().length).toBe(n * environment.features);
      const { terminated, truncated } = environment.step(random.below(n));
      if (terminated || truncated) environment.reset();
    }
    expect(most).toBe(2);
  });

  test("shows what the option says, in rows of that size", () => {
    const stream = [{ name: "viewers", encode: { kind: "running" } }] as const;
    const more = [pages(), taste(), moments(), columns({ stream })];
    const environment = new LiveEnvironment({ ...OPTIONS, features: [...coreFeatures(), ...more] });
    const plain = new LiveEnvironment({ ...OPTIONS, features: coreFeatures() });
    expect(environment.features).toBeGreaterThan(plain.features);
    expect(environment.observationSize).toBeGreaterThan(plain.observationSize);
    const { observations } = live(environment, 3, () => 0);
    for (const observation of observations) expect(observation.length).toBe(environment.observationSize);
    // The world is the same: its rows begin as they do without, but for the number that fills them up to four.
    const before = live(plain, 3, () => 0).observations;
    const own = plain.observationSize - 1;
    expect(observations.map((row) => row.slice(0, own))).toEqual(before.map((row) => row.slice(0, own)));
    expect(observations.some((row) => row.slice(plain.observationSize).some((x) => x !== 0))).toBe(true);
    expect(environment.reset(3).length).toBe(environment.observationSize);
    expect(environment.candidates().length).toBe(environment.streams.length * environment.features);
    expect(() => new LiveEnvironment({ features: { inputs: ["age"] } } as object)).toThrow('"features" must be');
  });

  test("pays the minutes watched, or the logarithm of one more", () => {
    const rewards = (reward: "minutes" | "log1p") =>
      [0, 1, 2, 3].flatMap((seed) => live(new LiveEnvironment({ ...OPTIONS, reward }), seed, () => 0).rewards);
    const minutes = rewards("minutes");
    const logs = rewards("log1p");
    expect(minutes.some((x) => x > 5)).toBe(true);
    logs.forEach((reward, i) => {
      expect(reward).toBeCloseTo(Math.log1p(minutes[i]!), 9);
    });
  });

  test("terminates when the viewer is lost, and is truncated when the days are over", () => {
    const ends = Array.from({ length: 10 }, (_, seed) =>
      live(new LiveEnvironment({ streamers: 6, days: 60 }), seed, () => 0),
    );
    for (const { terminated, truncated } of ends) expect(terminated).toBe(!truncated);
    expect(ends.some(({ terminated }) => terminated)).toBe(true);
    expect(ends.some(({ truncated }) => truncated)).toBe(true);
  });

  test("goes on from its state as if it had never stopped", () => {
    const one = new LiveEnvironment(OPTIONS);
    one.reset(5);
    for (let i = 0; i < 5; i++) one.step(0);
    const other = new LiveEnvironment(OPTIONS);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    expect(other.candidates()).toEqual(one.candidates());
    for (let i = 0; i < 5; i++) expect(other.step(0)).toEqual(one.step(0));
    expect(other.reset()).toEqual(one.reset());
  });

  test("refuses foreign states, actions and options, and changes nothing then", () => {
    const environment = new LiveEnvironment(OPTIONS);
    expect(() => environment.step(0)).toThrow("call reset");
    environment.reset(1);
    const before = environment.state();
    for (const state of [
      null,
      {},
      { seed: 1.5, actions: [] },
      { seed: 1, actions: [-1] },
      { seed: 1, actions: [999] },
    ]) {
      expect(() => environment.restore(state)).toThrow(TypeError);
    }
    expect(() => environment.step(999)).toThrow(/"action" must be an index below \d+, got 999/);
    expect(environment.state()).toEqual(before);
    expect(() => environment.reset(-2)).toThrow(/"seed"/);
    expect(() => new LiveEnvironment({ streamers: 0 })).toThrow(/"streamers"/);
    expect(() => new LiveEnvironment({ maxCandidates: 0 })).toThrow(/"maxCandidates"/);
    expect(() => new LiveEnvironment({ viewers: 3 } as object)).toThrow(/"viewers" is not an option/);
  });

  test("an agent learns in it by train()", async () => {
    const environment = new LiveEnvironment(OPTIONS);
    const candidates = { max: environment.options.maxCandidates, features: environment.features };
    const agent = new DQN({
      observation: environment.observationSize,
      candidates,
      hidden: [32],
      learningStarts: 100,
      epsilon: 0.2,
      gamma: 0.8,
      seed: 1,
    });
    const { returns } = await train(agent, [environment], { steps: 400 });
    expect(returns.length).toBeGreaterThan(3);
    expect(agent.updates).toBeGreaterThan(250);
    expect(agent.skippedUpdates).toBe(0);
    agent.dispose();
  });
});
