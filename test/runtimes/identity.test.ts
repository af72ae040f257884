import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DQN, type DQNOptions, type Schedule } from "../../src/index.js";
import { live } from "../support/live.js";
import { CASES, VARIANTS } from "./cases.js";
import { identity } from "./identity.js";

/** The names of all options, or of those nested in one, as the refusal of an unknown one gives them. */
function optionsIn(path?: "candidates" | "munchausen" | "slate" | "sparse"): string[] {
  const options = path === "candidates" ? { observation: 1 } : { observation: 1, actions: 1 };
  const unknown = { unknown: 1 };
  try {
    new DQN({ ...options, ...(path ? { [path]: unknown } : unknown) } as DQNOptions);
  } catch (error) {
    return /there are (.*)/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}

const given = CASES.map(({ options }) => options);
const resolved = CASES.map(({ options }) => new DQN(options).options);

test("agents have the committed hashes on this Node, as in every runtime of `npm run test:runtimes`", async () => {
  const expected = JSON.parse(readFileSync("test/runtimes/hashes.json", "utf8"));
  const trained = await identity();
  expect(trained.filter(({ error }) => error)).toEqual([]);
  for (const variant of VARIANTS) {
    const own = trained.filter((each) => each.variant === variant.name);
    expect(Object.fromEntries(own.map((each) => [each.case, each.hashes])), variant.name).toEqual(expected);
  }
  expect(new Set(trained.flatMap(({ hashes }) => hashes)).size).toBe(Object.values(expected).flat().length);
});

test("the cases use every option, with another value than its default", () => {
  const plain: Record<string, unknown> = new DQN({ observation: 1, actions: 1 }).options;
  const names = optionsIn();
  expect(names).toEqual(expect.arrayContaining(["observation", "masked", "seed"]));
  for (const name of names) {
    const values = resolved.map((options) => JSON.stringify((options as Record<string, unknown>)[name]));
    expect(
      values.some((value) => value !== JSON.stringify(plain[name])),
      name,
    ).toBe(true);
  }
  for (const part of ["candidates", "munchausen", "slate", "sparse"] as const) {
    const nested = optionsIn(part);
    expect(nested.length, part).toBeGreaterThan(1);
    const used = new Set(given.flatMap((options) => Object.keys(options[part] ?? {})));
    expect([...used].sort(), part).toEqual([...nested].sort());
  }
});

test("the cases use every choice and every kind of schedule", () => {
  const values = (name: keyof DQNOptions) => new Set(resolved.map((options) => options[name]));
  expect(values("normalization")).toEqual(new Set(["none", "layer", "batch"]));
  expect(values("activation")).toEqual(new Set(["relu", "tanh", "gelu", "linear"]));
  expect(values("loss")).toEqual(new Set(["huber", "squared"]));
  for (const name of ["masked", "double", "dueling"] as const)
    expect(values(name), name).toEqual(new Set([true, false]));
  const schedules = resolved.flatMap((o): Schedule[] => [o.learningRate, o.epsilon, o.importanceExponent]);
  const types = new Set(schedules.map((each) => (typeof each === "number" ? "number" : each.type)));
  expect(types).toEqual(new Set(["number", "linear", "cosine", "exponential", "piecewise"]));
});

test.each(CASES.filter(({ environments }) => !environments))("$name: the agent learns, and drops no update", (each) => {
  const agent = new DQN(each.options);
  live(agent, 300);
  expect(agent.updates).toBeGreaterThan(200);
  expect(agent.skippedUpdates).toBe(0);
});
