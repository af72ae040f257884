import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bestOf,
  bordaPoints,
  weightedDeviation,
  weightedMean,
  weightedQuantile,
} from "../../src/engine/ensemble/combine.js";
import { Ensemble, type EnsembleOptions } from "../../src/engine/ensemble/index.js";
import { DQN, type DQNOptions, type LayerWeights, Random, SnapshotError, type Transition } from "../../src/index.js";

const AGENT = {
  ...{ observation: 3, actions: 3, hidden: [8], batchSize: 8, capacity: 200, learningStarts: 20, seed: 5 },
} satisfies DQNOptions;

const hashOf = (ensemble: Ensemble) => createHash("sha256").update(ensemble.save()).digest("hex");

function seen(i: number): number[] {
  return [((i * 37) % 19) / 9 - 1, (i % 5) / 5, (i % 7) / 7];
}

function transitionAt(i: number, action: number): Transition {
  const terminated = i % 9 === 8;
  return { observation: seen(i), action, reward: action - 1, terminated, nextObservation: seen(i + 1) };
}

/** Steps of a made-up world, in which what is seen next does not depend on the action. */
function live(ensemble: Ensemble, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    ensemble.observe(transitionAt(i, ensemble.act(seen(i))));
    ensemble.learn();
  }
}

/** Counts what each member is given, in place of storing it. */
function intercepted(ensemble: Ensemble, onObserve: (member: number, transition: Transition) => void): void {
  for (const [m, member] of ensemble.members.entries()) member.observe = (transition) => onObserve(m, transition);
}

/** Pearson's statistic of counts that should be in proportion to `expected`. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
}

describe("masks", () => {
  test("each set of members but none is drawn as often as independent members say", () => {
    const ensemble = new Ensemble(AGENT, { members: 3, mask: 0.3 });
    const counts = new Array<number>(8).fill(0);
    let bits = 0;
    intercepted(ensemble, (m) => (bits |= 1 << m));
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      bits = 0;
      ensemble.observe(transitionAt(0, 1));
      counts[bits]!++;
    }
    expect(counts[0]).toBe(0);
    const some = 1 - 0.7 ** 3;
    const expected = counts.map((_, set) => {
      const size = [0, 1, 2].filter((m) => set & (1 << m)).length;
      return (rounds * 0.3 ** size * 0.7 ** (3 - size)) / some;
    });
    // 6 degrees of freedom: above 27.9 once in ten thousand.
    expect(chiSquare(counts.slice(1), expected.slice(1))).toBeLessThan(27.9);
    ensemble.dispose();
  });

  test("with 1 all members get all transitions", () => {
    const ensemble = new Ensemble(AGENT, { members: 4, mask: 1 });
    for (let i = 0; i < 30; i++) ensemble.observe(transitionAt(i, 1));
    expect(ensemble.members.map(({ steps }) => steps)).toEqual([30, 30, 30, 30]);
    expect(ensemble.steps).toBe(30);
    ensemble.dispose();
  });

  test("below 1 exclude returns of several steps, for which the default is 1", () => {
    const n3 = { ...AGENT, nStep: 3 };
    expect(() => new Ensemble(n3, { mask: 0.5 })).toThrow('"ensemble.mask" below 1 excludes "nStep" above 1');
    const ensemble = new Ensemble(n3);
    expect(ensemble.options.mask).toBe(1);
    ensemble.dispose();
  });

  test("noise on rewards is normal, and another one for each member", () => {
    const ensemble = new Ensemble(AGENT, { members: 2, mask: 1, rewardNoise: 3 });
    const rewards: number[][] = [[], []];
    intercepted(ensemble, (m, { reward }) => rewards[m]!.push(reward));
    const n = 20_000;
    for (let i = 0; i < n; i++) ensemble.observe(transitionAt(0, 2));
    const [a, b] = rewards.map((own) => own.map((x) => (x - 1) / 3)) as [number[], number[]];
    const mean = (values: number[]) => values.reduce((sum, x) => sum + x / values.length, 0);
    for (const own of [a, b]) {
      expect(Math.abs(mean(own))).toBeLessThan(4 / Math.sqrt(n));
      expect(Math.abs(mean(own.map((x) => x * x)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
      expect(Math.abs(own.filter((x) => x < -1).length / n - 0.1587)).toBeLessThan(0.011);
    }
    expect(Math.abs(mean(a.map((x, i) => x * b[i]!)))).toBeLessThan(4 / Math.sqrt(n));
    ensemble.dispose();
  });

  test("noise moves no reward out of its bounds, and lets none in", () => {
    const ensemble = new Ensemble(AGENT, { members: 2, rewardNoise: 1e6 });
    const with1e6 = (reward: number) => ({ ...transitionAt(0, 1), reward });
    for (let i = 0; i < 50; i++) ensemble.observe(with1e6(i % 2 ? 1e6 : -1e6));
    const before = hashOf(ensemble);
    expect(() => ensemble.observe(with1e6(1.1e6))).toThrow('"reward" must be');
    expect(() => ensemble.observe(with1e6(Number.NaN))).toThrow('"reward" must be');
    expect(hashOf(ensemble)).toBe(before);
    ensemble.dispose();
  });
});

const sets = fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 7 })).chain(([members, n]) =>
  fc.record({
    sets: fc.array(
      fc.array(fc.integer({ min: -4, max: 4 }), { minLength: n, maxLength: n }).map((row) => Float32Array.from(row)),
      { minLength: members, maxLength: members },
    ),
    weights: fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: members, maxLength: members })
      .filter((weights) => weights.some((w) => w > 0)),
    mask: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: n, maxLength: n }),
  }),
);

describe("what members say together", () => {
  test("mean, deviation and quantiles are those of as many copies of each member as it weighs", () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 20 }), ({ sets, weights }, twentieths) => {
        const mean = weightedMean(sets, weights);
        const deviation = weightedDeviation(sets, weights, mean);
        const share = twentieths / 20;
        const quantile = weightedQuantile(sets, weights, share);
        for (let i = 0; i < mean.length; i++) {
          const copies = sets.flatMap((set, m) => new Array<number>(weights[m]!).fill(set[i]!)).sort((a, b) => a - b);
          const average = copies.reduce((sum, x) => sum + x, 0) / copies.length;
          const variance = copies.reduce((sum, x) => sum + (x - average) ** 2, 0) / copies.length;
          expect(mean[i]).toBeCloseTo(average, 5);
          expect(deviation[i]).toBeCloseTo(Math.sqrt(variance), 5);
          const place = copies.findIndex((_, at) => (at + 1) * 20 >= twentieths * copies.length);
          expect(quantile[i]).toBe(copies[place]);
        }
      }),
    );
  });

  test("Borda's points are pairs won, and half of those that end even, among what is available", () => {
    fc.assert(
      fc.property(sets, ({ sets, weights, mask }) => {
        const points = bordaPoints(sets, weights, mask);
        for (let i = 0; i < points.length; i++) {
          let naive = 0;
          for (const [m, set] of sets.entries()) {
            for (let j = 0; j < set.length; j++) {
              if (i === j || !mask[i] || !mask[j]) continue;
              naive += weights[m]! * (set[i]! > set[j]! ? 1 : set[i] === set[j] ? 0.5 : 0);
            }
          }
          expect(points[i]).toBe(naive);
        }
      }),
    );
  });

  test("the best is the first of the largest that are available", () => {
    expect(bestOf(Float32Array.of(1, 3, 3, 2))).toBe(1);
    expect(bestOf(Float32Array.of(1, 3, 3, 2), [1, 0, 1, 1])).toBe(2);
    expect(bestOf(Float32Array.of(1, 3), [0, 0])).toBe(-1);
  });

  test("values of one state and of many are the weighted means of the members'", () => {
    const ensemble = new Ensemble(AGENT, { members: 3, weights: [1, 0, 3] });
    live(ensemble, 0, 60);
    const [a, , c] = ensemble.evaluateMembers(seen(3)) as [Float32Array, Float32Array, Float32Array];
    const values = ensemble.evaluate(seen(3));
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo((a[i]! + 3 * c[i]!) / 4, 5);
    expect(ensemble.evaluateBatch([...seen(3), ...seen(4)])).toEqual(
      Float32Array.of(...ensemble.evaluate(seen(3)), ...ensemble.evaluate(seen(4))),
    );
    ensemble.dispose();
  });

  test("slates have the means of values, weights in the choice, nothing and parts", () => {
    const candidates = { max: 4, features: 2 };
    const slate = { size: 2, parts: 2 };
    const ensemble = new Ensemble({ observation: 2, candidates, slate, hidden: [6], seed: 3 }, { members: 2 });
    const rows = [1, 0, 0, 1, 0.5, 0.5];
    const values = ensemble.evaluate([1, 2], rows);
    const own = ensemble.members.map((each) => {
      const q = each.evaluate([1, 2], rows).slice();
      return { q, v: each.choices.slice(0, 3), q0: each.nothing, parts: each.evaluateParts([1, 2], rows).slice() };
    });
    const mean = (of: (each: (typeof own)[number]) => number) => (of(own[0]!) + of(own[1]!)) / 2;
    for (let i = 0; i < 3; i++) {
      expect(values[i]).toBeCloseTo(
        mean(({ q }) => q[i]!),
        5,
      );
      expect(ensemble.choices[i]).toBeCloseTo(
        mean(({ v }) => v[i]!),
        5,
      );
    }
    expect(ensemble.nothing).toBeCloseTo(
      mean(({ q0 }) => q0),
      5,
    );
    const parts = ensemble.evaluateParts([1, 2], rows);
    expect(parts.length).toBe(6);
    for (const [i, part] of parts.entries())
      expect(part).toBeCloseTo(
        mean((each) => each.parts[i]!),
        5,
      );
    expect(() => ensemble.act([1, 2], rows)).toThrow("give it a Recommender");
    ensemble.dispose();
  });
});

describe("priors", () => {
  const plain = { ...AGENT, hidden: [6, 5], normalization: "none" } as const satisfies DQNOptions;
  const UNITS = 8;
  const made = (seed = 5) => new Ensemble({ ...plain, seed }, { members: 3, priorScale: 4, priorUnits: UNITS });
  /** Whether a weight is part of the prior, or of neither network. */
  const isFixed = ({ name, inputs, outputs }: LayerWeights, at: number) => {
    const readsPrior = name !== "hidden.0" && at % inputs >= inputs - UNITS;
    return readsPrior || (name !== "head" && Math.floor(at / inputs) >= outputs - UNITS);
  };

  test("stay as they are, beside what is learned", () => {
    const ensemble = made();
    const before = ensemble.members.map((each) => each.weights());
    live(ensemble, 0, 80);
    for (const [m, member] of ensemble.members.entries()) {
      for (const [l, layer] of member.weights().entries()) {
        const old = before[m]![l]!;
        let moved = 0;
        for (const [at, x] of layer.weight.entries()) {
          if (isFixed(layer, at)) expect(x).toBe(old.weight[at]);
          else moved += Number(x !== old.weight[at]);
        }
        expect(moved).toBeGreaterThan(0);
        const own = layer.outputs - (layer.name === "head" ? 0 : UNITS);
        expect(layer.bias.subarray(own)).toEqual(old.bias.subarray(own));
        expect(layer.bias.subarray(0, own)).not.toEqual(old.bias.subarray(0, own));
      }
    }
    ensemble.dispose();
  });

  test("are a network of their own, whose values add to the others", () => {
    const ensemble = made();
    live(ensemble, 0, 60);
    const [member] = ensemble.members;
    const layers = member!.weights();
    const only = (isPrior: boolean) =>
      layers.map((layer) => ({
        ...layer,
        weight:
          layer.name === "head" ? layer.weight.map((x, at) => (isFixed(layer, at) === isPrior ? x : 0)) : layer.weight,
        bias: layer.name === "head" && isPrior ? layer.bias.map(() => 0) : layer.bias,
      }));
    const whole = member!.evaluate(seen(4)).slice();
    const parts = [true, false].map((isPrior) => {
      member!.setWeights(only(isPrior));
      return member!.evaluate(seen(4)).slice();
    });
    for (const [a, value] of whole.entries()) expect(parts[0]![a]! + parts[1]![a]!).toBeCloseTo(value, 5);
    // No weight joins the two.
    for (const layer of layers.slice(1, -1)) {
      for (const [at, x] of layer.weight.entries()) {
        const [output, input] = [Math.floor(at / layer.inputs), at % layer.inputs];
        if (input >= layer.inputs - UNITS !== output >= layer.outputs - UNITS) expect(x).toBe(0);
      }
    }
    ensemble.dispose();
  });

  test("come in pairs of opposite sign, the last of an odd number alone", () => {
    const ensemble = made();
    const priors = ensemble.members.map((member) => {
      const layers = member.weights();
      const head = layers.at(-1)!;
      const weight = head.weight.map((x, at) => (isFixed(head, at) ? x : 0));
      member.setWeights([...layers.slice(0, -1), { ...head, weight, bias: head.bias.map(() => 0) }]);
      return [0, 1, 2, 3].flatMap((i) => [...member.evaluate(seen(i))]);
    });
    expect(priors[1]).toEqual(priors[0]!.map((x) => 0 - x));
    expect(priors[2]).not.toEqual(priors[0]);
    expect(Math.max(...priors[0]!.map(Math.abs))).toBeGreaterThan(0.01);
    ensemble.dispose();
  });

  test("leave the weight in the choice of a slate alone", () => {
    const slates = {
      observation: 2,
      candidates: { max: 4, features: 2 },
      slate: { size: 2 },
      normalization: "none",
    } as const;
    const ensemble = new Ensemble({ ...slates, hidden: [6] }, { members: 2, priorScale: 50, priorUnits: 2 });
    const head = ensemble.members[0]!.weights().at(-1)!;
    expect([...head.weight.subarray(-2)]).toEqual([0, 0]);
    expect(head.weight.subarray(6, 8).every((x) => x !== 0)).toBe(true);
    ensemble.dispose();
  });

  test("are in a file, and continue bit for bit", () => {
    const ensemble = made();
    live(ensemble, 0, 40);
    const copy = Ensemble.load(ensemble.save());
    live(ensemble, 40, 80);
    live(copy, 40, 80);
    expect(hashOf(copy)).toBe(hashOf(ensemble));
    ensemble.dispose();
    copy.dispose();
  });

  test("need units that nothing else moves", () => {
    const frozen = (options: object) => () => new DQN({ ...plain, frozenUnits: 2, ...options });
    expect(frozen({ normalization: "layer" })).toThrow('"frozenUnits" and "normalization"');
    expect(frozen({ weightDecay: 0.1 })).toThrow("they move what is frozen");
    expect(frozen({ frozenUnits: 5 })).toThrow(
      '"frozenUnits" and "hidden" exclude each other: some units of each layer must learn',
    );
    expect(() => new Ensemble(AGENT, { priorScale: 1 })).toThrow('"frozenUnits" and "normalization"');
  });
});

describe("acting", () => {
  test("Thompson follows one member through an episode, each equally often", () => {
    const ensemble = new Ensemble(AGENT, { members: 4, policy: "thompson" });
    const followed: number[] = [];
    for (const [m, member] of ensemble.members.entries()) {
      member.act = (_, __, epsilon) => {
        expect(epsilon).toBe(0);
        return followed.push(m) && 0;
      };
      member.observe = () => {};
    }
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 9 * 4000; i++) {
      ensemble.act(seen(i));
      ensemble.observe(transitionAt(i, 0));
      if (i % 9 < 8) continue;
      const episode = followed.splice(0);
      expect(new Set(episode).size).toBe(1);
      counts[episode[0]!]!++;
    }
    // 3 degrees of freedom: above 21.1 once in ten thousand.
    expect(chiSquare(counts, [1000, 1000, 1000, 1000])).toBeLessThan(21.1);
    ensemble.dispose();
  });

  test("each environment has a member of its own, which a time limit changes too", () => {
    const ensemble = new Ensemble({ ...AGENT, environments: 2 }, { members: 64, mask: 1 });
    const before = [ensemble.active(0), ensemble.active(1)];
    ensemble.observe({ ...transitionAt(0, 1), truncated: true, environment: 1 });
    expect(ensemble.active(0)).toBe(before[0]);
    expect(ensemble.active(1)).not.toBe(before[1]);
    expect(() => ensemble.act(seen(0), undefined, undefined, 2)).toThrow('"environment" must be an integer in [0, 1]');
    ensemble.dispose();
  });

  test("optimism, vote and mean are the best of what they say", () => {
    for (const policy of ["optimism", "vote", "mean"] as const) {
      const ensemble = new Ensemble({ ...AGENT, epsilon: 0 }, { policy, optimism: 2, members: 3 });
      live(ensemble, 0, 40);
      for (let i = 0; i < 20; i++) {
        const { mean, deviation } = ensemble.uncertainty(seen(i));
        const said = {
          optimism: mean.map((value, a) => value + 2 * deviation[a]!),
          vote: ensemble.vote(seen(i)),
          mean,
        }[policy];
        expect(ensemble.act(seen(i))).toBe(bestOf(said));
        expect(ensemble.act(seen(i), undefined, 0)).toBe(bestOf(mean));
      }
      ensemble.dispose();
    }
  });

  test("an epsilon of 1 draws each available action equally often, and none where none is", () => {
    const ensemble = new Ensemble({ ...AGENT, masked: true }, { members: 2 });
    const counts = [0, 0, 0];
    for (let i = 0; i < 6000; i++) counts[ensemble.act(seen(i), [1, 0, 1], 1)]!++;
    expect(counts[1]).toBe(0);
    expect(chiSquare([counts[0]!, counts[2]!], [3000, 3000])).toBeLessThan(15.2);
    for (const policy of ["thompson", "optimism", "mean", "vote"] as const) {
      const other = new Ensemble({ ...AGENT, masked: true }, { members: 2, policy });
      expect(other.act(seen(0), [0, 0, 0])).toBe(-1);
      expect([0, 2]).toContain(other.act(seen(0), [1, 0, 1]));
      other.dispose();
    }
    expect(() => ensemble.act(seen(0), [1, 1, 1], 2)).toThrow('"epsilon" must be in [0, 1], got 2');
    ensemble.dispose();
  });

  test("members differ at first, and agree on what all have seen", () => {
    const ensemble = new Ensemble({ ...AGENT, gamma: 0, learningRate: 1e-2 }, { members: 5 });
    const widest = () => Math.max(...ensemble.uncertainty(seen(1)).deviation);
    const before = widest();
    expect(before).toBeGreaterThan(0.05);
    for (let i = 0; i < 300; i++)
      ensemble.observe({ ...transitionAt(0, i % 3), observation: seen(1), terminated: true });
    ensemble.learn(600);
    expect(widest()).toBeLessThan(before / 5);
    expect([...ensemble.evaluate(seen(1))].map(Math.round)).toEqual([-1, 0, 1]);
    ensemble.dispose();
  });
});

describe("files", () => {
  test("continue bit for bit, masks, noise and drawn members included", () => {
    const ensemble = new Ensemble(AGENT, { members: 3, rewardNoise: 0.1 });
    live(ensemble, 0, 75);
    const copy = Ensemble.load(ensemble.save());
    expect(copy.options).toEqual(ensemble.options);
    live(ensemble, 75, 150);
    live(copy, 75, 150);
    expect(hashOf(copy)).toBe(hashOf(ensemble));
    ensemble.dispose();
    copy.dispose();
  });

  test("the same seed gives the same bytes, another one other members", () => {
    const made = [5, 5, 6].map((seed) => new Ensemble({ ...AGENT, seed }, { members: 2 }));
    for (const each of made) live(each, 0, 50);
    const hashes = made.map(hashOf);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
    const [a, b] = made[0]!.members.map((member) => createHash("sha256").update(member.save()).digest("hex"));
    expect(a).not.toBe(b);
    for (const each of made) each.dispose();
  });

  test("that are damaged or forged are refused", () => {
    const ensemble = new Ensemble(AGENT, { members: 2 });
    const file = ensemble.save();
    const damaged = file.slice();
    damaged[file.length - 9]! ^= 1;
    expect(() => Ensemble.load(damaged)).toThrow(SnapshotError);
    expect(() => DQN.load(file)).toThrow(SnapshotError);
    expect(() => Ensemble.load(ensemble.members[0]!.save())).toThrow(SnapshotError);
    ensemble.dispose();
  });

  test("weights are copied and put back, all or none", () => {
    const [one, other] = [1, 2].map((seed) => new Ensemble({ ...AGENT, seed }, { members: 2 })) as [Ensemble, Ensemble];
    const weights = one.copyWeights();
    other.restoreWeights(weights);
    expect(other.evaluate(seen(2))).toEqual(one.evaluate(seen(2)));
    const bad = weights.slice();
    bad[bad.length - 1] = Number.NaN;
    bad[0] = 5;
    expect(() => other.restoreWeights(bad)).toThrow(RangeError);
    expect(other.evaluate(seen(2))).toEqual(one.evaluate(seen(2)));
    expect(() => other.restoreWeights(weights.subarray(1))).toThrow('"weights" must be');
    one.dispose();
    other.dispose();
  });
});

test("agents made apart become an ensemble where they see and answer the same", () => {
  const agents = [[8], [4, 4]].map((hidden, seed) => new DQN({ ...AGENT, hidden, seed }));
  const ensemble = Ensemble.of(agents, { policy: "vote" });
  live(ensemble, 0, 40);
  expect(Ensemble.load(ensemble.save()).evaluate(seen(1))).toEqual(ensemble.evaluate(seen(1)));
  const other = new DQN({ ...AGENT, actions: 4 });
  expect(() => Ensemble.of([agents[0]!, other])).toThrow('members[1] differs from the first in "actions"');
  expect(() => Ensemble.of([agents[0]!])).toThrow('"ensemble.members" must be an integer in [2, 64], got 1');
  ensemble.dispose();
  other.dispose();
});

test("a refused transition changes nothing, whoever it would have reached", () => {
  const ensemble = new Ensemble(AGENT, { members: 3, mask: 0.2 });
  live(ensemble, 0, 30);
  const before = hashOf(ensemble);
  const random = new Random(1);
  for (let i = 0; i < 40; i++) {
    const bad = random.pick([
      { action: 3 },
      { reward: Number.NaN },
      { observation: [1] },
      { nextObservation: [0, 0, 2e6] },
    ]);
    expect(() => ensemble.observe({ ...transitionAt(i, 1), ...bad })).toThrow(RangeError);
  }
  // Refusals are counted where they were met, which is no part of a file.
  expect(hashOf(ensemble)).toBe(before);
  ensemble.dispose();
});

test("wrong options are named", () => {
  const make = (options: Partial<EnsembleOptions>) => () => new Ensemble(AGENT, options);
  expect(make({ members: 1 })).toThrow('"ensemble.members" must be an integer in [2, 64], got 1');
  expect(make({ mask: 0 })).toThrow('"ensemble.mask" must be in (0, 1], got 0');
  expect(make({ weights: [1, 1] })).toThrow('"ensemble.weights" must be 5 numbers, got [1, 1]');
  expect(make({ weights: [0, 0, 0, 0, 0] })).toThrow('"ensemble.weights" must be numbers in [0, 1e6]');
  expect(make({ heads: 2 } as object)).toThrow('"ensemble.heads" is not an option');
  expect(() => new Ensemble({ ...AGENT, gamma: 2 })).toThrow('"gamma" must be in [0, 1], got 2');
});
