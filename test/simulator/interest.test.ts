import { describe, expect, test } from "vitest";
import { recsim } from "../../bench/recommender/recsim.js";
import { DQN, evaluate, train } from "../../src/index.js";
import {
  affinitySlates,
  InterestEvolution,
  interestReturns,
  lifetimeSlates,
  qualitySlates,
  randomSlates,
} from "../../src/simulator/interest.js";
import { arithmeticMean } from "../../src/statistics/intervals.js";

const { topicQualities } = InterestEvolution;

/** What a user looks like before a step. */
function snapshot({ interests, topics, qualities, budget }: InterestEvolution) {
  return { interests: interests.slice(), topics: topics.slice(), qualities: qualities.slice(), budget };
}

describe("InterestEvolution", () => {
  test("has 14 topics from -3 to 0 and 6 from 0 to 3, as linspace gives them", () => {
    const linspace = (from: number, to: number, n: number) =>
      [...Array(n)].map((_, i) => from + ((to - from) * i) / (n - 1));
    expect(topicQualities).toHaveLength(20);
    for (const [topic, quality] of [...linspace(-3, 0, 14), ...linspace(0, 3, 6)].entries()) {
      expect(topicQualities[topic]).toBeCloseTo(quality, 12);
    }
  });

  test("draws interests from [-1, 1], each topic equally often, and qualities around those of their topics", () => {
    const environment = new InterestEvolution({ candidates: 1000, slate: 1 });
    const counts = new Float64Array(20);
    let [interest, squares, off, offSquares] = [0, 0, 0, 0];
    for (let seed = 0; seed < 50; seed++) {
      const observation = environment.reset(seed);
      expect(observation).toEqual(Float32Array.from(environment.interests));
      for (const x of environment.interests) {
        expect(Math.abs(x)).toBeLessThanOrEqual(1);
        interest += x / 1000;
        squares += (x * x) / 1000;
      }
      environment.topics.forEach((topic, i) => {
        counts[topic]!++;
        off += (environment.qualities[i]! - topicQualities[topic]!) / 50_000;
        offSquares += (environment.qualities[i]! - topicQualities[topic]!) ** 2 / 50_000;
      });
    }
    // Uniform on [-1, 1]: mean 0, variance 1/3; 4.5 standard errors.
    expect(Math.abs(interest)).toBeLessThan(4.5 * Math.sqrt(1 / 3 / 1000));
    expect(Math.abs(squares - 1 / 3)).toBeLessThan(4.5 * Math.sqrt(4 / 45 / 1000));
    for (const count of counts) expect(Math.abs(count - 2500)).toBeLessThan(4.5 * Math.sqrt(2500));
    expect(Math.abs(off)).toBeLessThan(4.5 * (0.1 / Math.sqrt(50_000)));
    expect(Math.abs(offSquares - 0.01)).toBeLessThan(4.5 * 0.01 * Math.sqrt(2 / 50_000));
  });

  test("chooses in proportion to 1 + interest, and nothing with the weight 2", () => {
    const environment = new InterestEvolution();
    // Observed minus expected, for each position and for nothing, over choices whose probabilities all differ.
    const excess = [0, 0, 0, 0];
    const variance = [0, 0, 0, 0];
    for (let seed = 0; seed < 20_000; seed++) {
      environment.reset(seed);
      const weights = [0, 1, 2].map((i) => 1 + environment.interests[environment.topics[i]!]!);
      const total = weights.reduce((sum, x) => sum + x, 2);
      const { chosen } = environment.step([0, 1, 2]);
      [...weights, 2].forEach((weight, i) => {
        const p = weight / total;
        excess[i]! += Number((chosen + 4) % 4 === i) - p;
        variance[i]! += p * (1 - p);
      });
    }
    for (const [i, x] of excess.entries()) expect(Math.abs(x)).toBeLessThan(4.5 * Math.sqrt(variance[i]!));
  });

  test("moves the interest by .3 (1 - |x|)(1 - x), up with the probability (1 + x) / 2, and no other", () => {
    const environment = new InterestEvolution();
    let [excess, variance] = [0, 0];
    for (let seed = 0; seed < 5000; seed++) {
      environment.reset(seed);
      const { interests, topics } = snapshot(environment);
      const { chosen } = environment.step([4, 7, 1]);
      const topic = chosen < 0 ? -1 : topics[[4, 7, 1][chosen]!]!;
      for (let t = 0; t < 20; t++) {
        const x = interests[t]!;
        const step = 0.3 * (1 - Math.abs(x)) * (1 - x);
        const moved = environment.interests[t]! - x;
        if (t !== topic) expect(moved).toBe(0);
        else {
          expect(Math.min(Math.abs(moved - step), Math.abs(Math.max(-1, x - step) - x - moved))).toBeLessThan(1e-12);
          excess += Number(moved > 0) - (1 + x) / 2;
          variance += ((1 + x) * (1 - x)) / 4;
        }
      }
    }
    expect(Math.abs(excess)).toBeLessThan(4.5 * Math.sqrt(variance));
  });

  test("spends half a minute on nothing and four on a document, which gives .9 / 3.4 of a minute back by its quality", () => {
    const environment = new InterestEvolution();
    environment.reset(1);
    expect(environment.budget).toBe(200);
    const seen = new Set<boolean>();
    for (let isOver = false; !isOver; ) {
      const { budget, qualities } = snapshot(environment);
      const { reward, chosen, terminated, truncated } = environment.step([0, 1, 2]);
      expect(reward).toBe(chosen < 0 ? 0 : Math.min(4, budget));
      const cost = chosen < 0 ? 0.5 : reward - ((0.9 * reward) / 3.4) * qualities[chosen]!;
      expect(environment.budget).toBeCloseTo(budget - cost, 12);
      expect([terminated, truncated]).toEqual([environment.budget <= 0, false]);
      seen.add(chosen < 0);
      isOver = terminated;
    }
    expect(seen.size).toBe(2);
    expect(() => environment.step([0])).toThrow("the episode is over");
  });

  test("repeats an episode for its seed, and takes an index for a slate of one", () => {
    const [a, b] = [new InterestEvolution(), new InterestEvolution()];
    a.reset(5);
    b.reset(5);
    for (let i = 0; i < 20; i++) expect(b.step([i % 10])).toEqual(a.step(i % 10));
    expect(snapshot(b)).toEqual(snapshot(a));
    a.reset(6);
    expect(snapshot(a)).not.toEqual(snapshot(b));
    b.reset();
    expect(snapshot(a)).toEqual(snapshot(b));
  });

  test("shows one topic a candidate, and refuses what is no slate", () => {
    const environment = new InterestEvolution();
    environment.reset(1);
    const rows = environment.candidates();
    for (const [i, topic] of environment.topics.entries()) {
      expect(Array.from(rows.subarray(20 * i, 20 * i + 20))).toEqual(
        Array.from({ length: 20 }, (_, t) => +(t === topic)),
      );
    }
    for (const slate of [[0, 0], [10], [-1], [0.5], [1, 2, 3, 4], 10, Number.NaN]) {
      const { budget } = environment;
      expect(() => environment.step(slate)).toThrow("a slate must be at most 3 different integers in [0, 9]");
      expect(environment.budget).toBe(budget);
    }
    expect(environment.step([]).reward).toBe(0);
    expect(() => new InterestEvolution({ candidates: 2 })).toThrow('"slate" must be at most "candidates" (2), got 3');
    expect(() => new InterestEvolution({ topics: 3 } as object)).toThrow('"topics" is not an option');
  });
});

describe("its policies", () => {
  test("draw every ordered pair equally often, or rank by interest, quality or minutes bought", () => {
    const environment = new InterestEvolution({ candidates: 4, slate: 2 });
    environment.reset(9);
    const random = randomSlates(1);
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const pair = random(environment).join();
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    expect(counts.size).toBe(12);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4.5 * Math.sqrt(1000));
    const { interests, topics } = environment;
    const ranked = (score: (topic: number) => number) =>
      [...topics.keys()].sort((a, b) => score(topics[b]!) - score(topics[a]!) || a - b).slice(0, 2);
    expect(affinitySlates(environment)).toEqual(ranked((t) => interests[t]!));
    expect(qualitySlates(environment)).toEqual(ranked((t) => topicQualities[t]!));
    expect(lifetimeSlates(environment)).toEqual(
      ranked((t) => (1 + interests[t]!) / (1 - (0.9 / 3.4) * topicQualities[t]!)),
    );
  });

  test("come to the restated minutes a session", () => {
    // A seventh of a million steps; npm run bench:recommender plays 2000 episodes of each.
    const rows = recsim(200);
    expect(rows).toHaveLength(12);
    for (const { case: name, value, published, agrees } of rows) {
      expect(agrees, `${name}: ${value}, published ${published}`).toBe(true);
    }
    // Wide as the bands of 200 episodes are, a wrong constant shows: they are far apart.
    for (const { case: name, lo, hi, value } of rows) expect((hi - lo) / value, name).toBeLessThan(0.2);
  });

  test("give other returns for other seeds", () => {
    const first = interestReturns(affinitySlates, {}, 3, 1);
    expect(interestReturns(affinitySlates, {}, 2, 2)).toEqual(first.subarray(1));
  });
});

test("an agent learns in it, from single candidates", async () => {
  const environment = new InterestEvolution({ slate: 1 });
  const { observationSize: observation, features } = environment;
  const candidates = { max: 10, features };
  using agent = new DQN({
    observation,
    candidates,
    seed: 1,
    hidden: [16],
    gamma: 0.95,
    learningStarts: 200,
    batchSize: 16,
    learningRate: 1e-3,
    epsilon: { type: "linear", from: 1, to: 0.1, steps: 2000 },
  });
  await train(agent, environment, { steps: 6000 });
  const learned = arithmeticMean(evaluate(agent, environment, { episodes: 30 }));
  expect(learned).toBeGreaterThan(1.1 * arithmeticMean(interestReturns(randomSlates(1), { slate: 1 }, 200)));
});
