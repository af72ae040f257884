import { expect, test } from "vitest";
import { DQN, type DQNOptions, type Transition } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { numbers } from "../support/numbers.js";

const GAMMA = 0.9;
const LEARNER: Partial<DQNOptions> = {
  ...{ gamma: GAMMA, batchSize: 32, capacity: 600, learningStarts: 16, targetEvery: 50, tau: 1, hidden: [32] },
  ...{ learningRate: { type: "cosine", from: 1e-2, to: 1e-4, steps: 2500 }, loss: "squared", dueling: true },
};

/** Two states. Which actions there are in the second comes with how it was entered, or by itself. */
interface World {
  name: string;
  /** What each action is worth in the second state, which ends with it. */
  ends: number[];
  /** What each action of the first state earns, and the actions it leads to; undefined: it ends there. */
  leads: { reward: number; to?: number[] }[];
  /** The sets that are met in the second state. */
  sets: number[][];
}

/** A world whose numbers and sets are drawn; some sets are of one action, some of none. */
function drawn(seed: number): World {
  const random = Random.named(seed, "world");
  const n = 2 + (seed % 4);
  const all = Array.from({ length: n }, (_, a) => a);
  const some = () => all.filter(() => random.bernoulli(0.5));
  return {
    name: `drawn ${seed}: ${n} actions`,
    ends: all.map(() => random.uniform() * 20 - 10),
    leads: all.map((a) => (a === 0 ? { reward: 1, to: [seed % n] } : { reward: random.uniform() * 6, to: some() })),
    sets: [all, ...all.map((a) => [a]), ...all.map(some)].filter((set) => set.length > 0),
  };
}

const WORLDS: World[] = [
  { name: "one comes alone", ends: [10, 1], leads: [{ reward: 0, to: [1] }, { reward: 3 }], sets: [[0, 1]] },
  { name: "each is met alone", ends: [10, 1], leads: [{ reward: 0, to: [1] }, { reward: 3 }], sets: [[0], [1]] },
  {
    name: "never met together",
    ends: [-5, 8, 2],
    leads: [{ reward: 0, to: [0] }, { reward: 2, to: [2] }, { reward: 4 }],
    sets: [[0], [1], [2]],
  },
  {
    name: "the best is never left to the second state",
    ends: [20, 0, 1],
    leads: [{ reward: 0, to: [1, 2] }, { reward: 0, to: [] }, { reward: 2 }],
    sets: [[0, 1], [0, 2], [0]],
  },
  ...Array.from({ length: 8 }, (_, seed) => drawn(seed + 1)),
];

const FIRST = [1, 0];
const SECOND = [0, 1];
const oneHot = (a: number, n: number) => Array.from({ length: n }, (_, i) => Number(i === a));
const bits = (set: readonly number[], n: number) => Array.from({ length: n }, (_, i) => Number(set.includes(i)));

/** All steps of a world, with masks or candidates. */
function stepsOf({ ends, leads, sets }: World, areOffered: boolean): Transition[] {
  const n = ends.length;
  const all = ends.map((_, a) => a);
  const rows = (set: readonly number[]) => set.flatMap((a) => oneHot(a, n));
  const offer = (set: readonly number[], a: number) =>
    areOffered ? { candidates: rows(set), action: set.indexOf(a) } : { mask: bits(set, n), action: a };
  const next = (set: readonly number[]) =>
    areOffered ? { nextCandidates: Float32Array.from(rows(set)) } : { nextMask: bits(set, n) };
  const first = leads.map(({ reward, to }, a) => ({
    ...{ observation: FIRST, nextObservation: SECOND, reward, terminated: to === undefined },
    ...{
      ...offer(
        leads.map((_, i) => i),
        a,
      ),
      ...next(to ?? all),
    },
  }));
  const second = sets.flatMap((set) =>
    set.map((a) => ({
      ...{ observation: SECOND, nextObservation: SECOND, reward: ends[a]!, terminated: true },
      ...{ ...offer(set, a), ...next(all) },
    })),
  );
  // As many of the first state as of the second.
  const times = Math.ceil(second.length / first.length);
  return [...Array.from({ length: times }, () => first).flat(), ...second];
}

/** What actions of the first state are worth, and those of the second that are ever met. */
function truthOf({ ends, leads, sets }: World): { first: number[]; second: Map<number, number> } {
  const met = new Set(sets.flat());
  const worth = (set: number[] | undefined) => (set && set.length > 0 ? Math.max(...set.map((a) => ends[a]!)) : 0);
  return {
    first: leads.map(({ reward, to }) => reward + GAMMA * worth(to)),
    second: new Map([...met].map((a) => [a, ends[a]!])),
  };
}

/** The largest error of an agent's values of a world, as a share of the value, or of 1 where that is less. */
function errorOf(world: World, areOffered: boolean, seed: number): number {
  const n = world.ends.length;
  const actions = areOffered ? { candidates: { max: n, features: n } } : { actions: n, masked: true };
  const agent = new DQN({ ...LEARNER, observation: 2, ...actions, seed } as DQNOptions);
  const steps = stepsOf(world, areOffered);
  for (let i = 0; i < 600; i++) agent.observe(steps[i % steps.length]!);
  agent.learn(2500);
  const truth = truthOf(world);
  const all = areOffered ? world.ends.flatMap((_, a) => oneHot(a, n)) : undefined;
  const first = [...agent.evaluate(FIRST, all)];
  const second = [...agent.evaluate(SECOND, all)];
  agent.dispose();
  const error = (value: number, exact: number) => Math.abs(value - exact) / Math.max(1, Math.abs(exact));
  return Math.max(
    ...truth.first.map((exact, a) => error(first[a]!, exact)),
    ...[...truth.second].map(([a, exact]) => error(second[a]!, exact)),
  );
}

test.each([
  ["masks", false],
  ["candidates", true],
] as const)("dueling: where %s come and go, values are within 5 % of the exact ones in 12 worlds", (_, areOffered) => {
  for (const [i, world] of WORLDS.entries()) expect(errorOf(world, areOffered, i + 1), world.name).toBeLessThan(0.05);
});

test.each([
  ["masks", false],
  ["candidates", true],
] as const)("dueling: so they are for five seeds, with %s", (_, areOffered) => {
  for (let seed = 11; seed <= 15; seed++) expect(errorOf(WORLDS[0]!, areOffered, seed)).toBeLessThan(0.05);
});

test.each([1, 5])("dueling: a candidate's value has the same bits in any company, with %i quantiles", (quantiles) => {
  const agent = new DQN({ observation: 3, candidates: { max: 12, features: 4 }, dueling: true, quantiles, seed: 2 });
  const observation = numbers(3, 1);
  const rows = numbers(12 * 4, 2);
  const together = [...agent.evaluate(observation, rows)];
  for (let a = 0; a < 12; a++) {
    expect(agent.evaluate(observation, rows.slice(a * 4, a * 4 + 4))[0]).toBe(together[a]);
    expect(agent.evaluate(observation, rows.slice(a * 4))[0]).toBe(together[a]);
  }
});

test.each([1, 5])("dueling: a mask changes no bit of what is available, with %i quantiles", (quantiles) => {
  const agent = new DQN({ observation: 3, actions: 6, masked: true, dueling: true, quantiles, seed: 2 });
  const observation = numbers(3, 1);
  const all = [...agent.evaluate(observation)];
  for (let set = 1; set < 64; set++) {
    const mask = Array.from({ length: 6 }, (_, a) => (set >> a) & 1);
    expect([...agent.evaluate(observation, mask)]).toEqual(all);
    const best = Math.max(...all.filter((_, a) => mask[a]));
    expect(agent.act(observation, mask, 0)).toBe(all.indexOf(best));
    expect([...agent.values]).toEqual(all.map((q, a) => (mask[a] ? q : Number.NEGATIVE_INFINITY)));
  }
});

test("dueling: a candidate learned from alone gives the same values as the set that it was chosen from", () => {
  const options: DQNOptions = { ...LEARNER, observation: 3, candidates: { max: 6, features: 4, next: 6 }, seed: 3 };
  for (const sparse of [undefined, { slots: 2, size: 5 }]) {
    const candidates = { ...options.candidates!, ...(sparse && { sparse }) };
    const [alone, among] = [0, 1].map(() => new DQN({ ...options, candidates })) as [DQN, DQN];
    for (let i = 0; i < 100; i++) {
      const n = 1 + (i % 6);
      const action = i % n;
      const row = (seed: number) => {
        const dense = numbers(4, 10 * i + seed);
        return sparse ? { dense, indices: [seed % 5, -1] } : dense;
      };
      const rows = Array.from({ length: n }, (_, a) => row(a));
      const set = sparse
        ? {
            dense: Float32Array.from(rows.flatMap((one) => [...(one as { dense: Float32Array }).dense])),
            indices: rows.flatMap((one) => (one as { indices: number[] }).indices),
          }
        : Float32Array.from(rows.flatMap((one) => [...(one as Float32Array)]));
      const step = {
        observation: numbers(3, i),
        nextObservation: numbers(3, i + 1),
        nextCandidates: set,
        reward: i % 3,
      };
      alone.observe({ ...step, terminated: i % 5 === 0, candidate: rows[action]! });
      among.observe({ ...step, terminated: i % 5 === 0, candidates: set, action });
      expect(alone.learn()).toEqual(among.learn());
      expect([...alone.evaluate(step.observation, set)]).toEqual([...among.evaluate(step.observation, set)]);
    }
    const loaded = DQN.load(alone.save());
    expect(loaded.learn()).toEqual(alone.learn());
  }
});
