import { describe, expect, test } from "vitest";
import { Flag, Normalization, Region, Scalar, State, Status } from "../../assembly/abi.js";
import { batchLoss, type Rules, type Sample, slateTargets, targets } from "../reference/dqn.js";
import { differences, flat, unpackNetwork } from "../reference/network.js";
import { Pcg32 } from "../reference/rng.js";
import {
  BATCH,
  boundsOf,
  CAPACITY,
  type Case,
  CHOICE_WEIGHT,
  feed,
  learn,
  planOf,
  sampleOf,
  sizesOf,
  storedOf,
} from "../support/cases.js";
import { createAgent, difference, KernelBench, regionOf } from "../support/kernels.js";

const { Squared, Masked, Conservative, Sets, Adversarial } = Flag;
const slates = { hidden: [8, 5], observation: [4] as const, features: [3] as const, slate: 2 };

/** What each kind of pass predicts from. Cases without Double, so that the target network selects too. */
const CASES: readonly Case[] = [
  { name: "actions", hidden: [9], observation: [5], actions: 4 },
  {
    name: "actions, two layers, squared, masks",
    hidden: [9, 6],
    observation: [5],
    actions: 3,
    flags: Squared | Masked,
  },
  { name: "actions, three layers", hidden: [7, 6, 5], observation: [3], actions: 2 },
  {
    name: "layer norm, quantiles",
    hidden: [8, 5],
    observation: [4],
    actions: 3,
    quantiles: 3,
    normalization: Normalization.Layer,
  },
  { name: "batch norm", hidden: [8, 5], observation: [4], actions: 3, normalization: Normalization.Batch },
  {
    name: "actions, conservative",
    hidden: [8],
    observation: [5],
    actions: 4,
    flags: Conservative | Sets,
    cqlAlpha: 0.7,
  },
  { name: "candidates", hidden: [8, 5], observation: [6], features: [5] },
  { name: "candidates, halves", hidden: [8], observation: [6], features: [5], storage: "f16" },
  {
    name: "candidates, conservative",
    hidden: [8, 5],
    observation: [4],
    features: [3],
    flags: Conservative | Sets,
    cqlAlpha: 0.7,
  },
  { name: "slate", ...slates, flags: Sets },
  {
    name: "slate, conservative, layer norm",
    ...slates,
    flags: Sets | Conservative,
    cqlAlpha: 0.7,
    normalization: Normalization.Layer,
  },
  { name: "slate of parts, quantiles", ...slates, quantiles: 2, flags: Sets, parts: 2 },
];

const EPSILON = 0.05;

function rulesOf(given: Case): Rules {
  const { flags = 0, quantiles = 1, cqlAlpha = 0, slate, parts = 1 } = given;
  const rules: Rules = { quantiles, squared: (flags & Squared) !== 0, cqlAlpha };
  if (slate) rules.slate = { size: slate, choiceWeight: CHOICE_WEIGHT, features: planOf(given).features, parts };
  return rules;
}

/** All numbers that a batch is predicted from, each with a way to write it. */
function inputsOf(batch: readonly Sample[]): { row: number[]; i: number }[] {
  return batch.flatMap(({ state }) =>
    [state.observation, ...(state.set ?? [])].flatMap((row) => Array.from(row, (_, i) => ({ row, i }))),
  );
}

/** d loss / d input of all inputs, by central differences. */
function slopes(batch: readonly Sample[], loss: () => number): number[] {
  const step = 1e-6;
  return inputsOf(batch).map(({ row, i }) => {
    const before = row[i]!;
    row[i] = before + step;
    const up = loss();
    row[i] = before - step;
    const down = loss();
    row[i] = before;
    return (up - down) / (2 * step);
  });
}

function agentOf(given: Case) {
  const { exports } = new KernelBench(0);
  expect(createAgent(exports, sizesOf(given), given.hidden, 0, boundsOf(given))).toBe(Status.Ok);
  const f32 = (region: Region) => regionOf(exports, region);
  const stored = Array.from({ length: CAPACITY }, (_, i) => storedOf(i, given));
  for (const step of stored) expect(feed(exports, f32, given, step)).toBe(Status.Ok);
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  return { exports, f32, stored, scalars };
}

describe.each(CASES)("adversarial: $name", (plain) => {
  const given = { ...plain, flags: (plain.flags ?? 0) | Adversarial };
  const plan = planOf(given);
  const rules = rulesOf(given);

  test("loss, TD errors and gradient are those of the f64 twin on moved inputs", () => {
    const { exports, f32, stored, scalars } = agentOf(given);
    const state = new BigUint64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
    const rng = new Pcg32(state[State.Rng]!, state[State.Rng + 1]!);
    const online = unpackNetwork(exports, f32(Region.Online), plan);
    scalars[Scalar.Adversarial] = EPSILON;
    const got = learn(exports, given, 1, 0);
    const drawn = Array.from(new Int32Array(exports.memory.buffer, exports.region(Region.Sampled), BATCH));
    expect(drawn).toEqual(Array.from({ length: BATCH }, () => rng.below(CAPACITY)));
    // Rows that are drawn twice are moved each by itself.
    const batch = drawn.map((i) => structuredClone(sampleOf(stored[i]!, given, given.storage)));
    const y = rules.slate ? slateTargets(online, online, batch, rules) : targets(online, online, batch, rules);
    const weights = new Array<number>(BATCH).fill(1);
    const pass = { isTraining: true };
    const loss = () => batchLoss(online, batch, y, weights, rules, pass).loss;
    const before = loss();
    const moves = slopes(batch, loss).map((slope) => (Math.abs(slope) < 1e-9 ? 0 : EPSILON * Math.sign(slope)));
    expect(moves.filter((move) => move !== 0).length).toBeGreaterThan(BATCH);
    for (const [k, { row, i }] of inputsOf(batch).entries()) row[i]! += moves[k]!;

    const after = batchLoss(online, batch, y, weights, rules, pass);
    expect(after.loss).toBeGreaterThan(before);
    expect(Math.abs(got - after.loss) / (1 + after.loss)).toBeLessThan(1e-5);
    expect(difference(f32(Region.TdErrors), after.errors)).toBeLessThan(3e-5);
    const expected = differences(online, loss);
    const padded = new Float32Array(f32(Region.Online).length);
    padded.set(f32(Region.Gradient));
    const gradient = flat(unpackNetwork(exports, padded, plan));
    const largest = Math.max(...expected.map(Math.abs));
    const worst = Math.max(...expected.map((g, i) => Math.abs(gradient[i]! - g)));
    expect(worst).toBeLessThan(5e-5 * largest + 1e-8);
  });

  test("an epsilon of 0 learns the same bits as without", () => {
    const weights = [given, plain].map((each) => {
      const { exports, f32 } = agentOf(each);
      for (let n = 0; n < 5; n++) learn(exports, each, 1, 1);
      return f32(Region.Online).slice();
    });
    expect(weights[0]).toEqual(weights[1]);
  });
});
