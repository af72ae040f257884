import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DQN, OPTION_DEFAULTS } from "../../src/engine/index.js";
import { codeOf } from "../../src/playground/control/code.js";
import { heaviest } from "../../src/playground/control/network.js";
import { Scene } from "../../src/playground/control/scenes.js";
import {
  ENVIRONMENTS,
  type EnvironmentName,
  faultOf,
  optionsOf,
  SETTINGS,
  settingsOf,
} from "../../src/playground/control/settings.js";
import { evaluate, train } from "../../src/training/index.js";

function sizesOf(name: EnvironmentName) {
  const { observationSize, actions } = new Scene(name);
  return { observation: observationSize, actions };
}

describe("settings of the playground", () => {
  test.each(ENVIRONMENTS)("the recipe of %s is a set of options that the engine takes", (name) => {
    const agent = new DQN(optionsOf(name, settingsOf(name, {}), sizesOf(name)));
    expect(agent.options.observation).toBe(new Scene(name).observationSize);
    agent.dispose();
  });

  test("a setting begins with the engine's default", () => {
    for (const { name, initial } of SETTINGS) {
      const value = OPTION_DEFAULTS[name as keyof typeof OPTION_DEFAULTS];
      expect(initial, name).toBe(Array.isArray(value) ? value.join(" ") : String(value ?? "huber"));
    }
  });

  test.each([
    ["gamma", "1.5"],
    ["gamma", ""],
    ["gamma", "NaN"],
    ["learningRate", "0"],
    ["hidden", "64 -1"],
    ["hidden", ""],
    ["seed", "1e99"],
    ["loss", "mse"],
    ["double", "yes"],
    ["nStep", "0.5"],
  ])("%s refuses %j and says what it must be", (name, text) => {
    const setting = SETTINGS.find((one) => one.name === name)!;
    expect(faultOf(setting, text)).toMatch(new RegExp(`^"${name}" must be `));
    expect(faultOf(setting, setting.initial)).toBeUndefined();
  });

  test("what the address holds wins over the recipe, and the recipe over the defaults", () => {
    const settings = settingsOf("CartPole-v1", { gamma: "0.5" });
    expect([settings["gamma"], settings["loss"], settings["nStep"]]).toEqual(["0.5", "squared", "1"]);
  });
});

describe("scenes", () => {
  test.each(ENVIRONMENTS)("%s goes on from its state as if it had never stopped", (name) => {
    const one = new Scene(name);
    one.reset(3);
    for (let i = 0; i < 5; i++) one.step(i % one.actions);
    const other = new Scene(name);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    expect(Array.from(other.observation)).toEqual(Array.from(one.observation));
    for (let i = 0; i < 5; i++) expect(other.step(0)).toEqual(one.step(0));
    expect(other.frame(0)).toEqual(one.frame(0));
  });

  test("a look sees each step, and the return so far", () => {
    const scene = new Scene("CartPole-v1");
    const seen: number[] = [];
    scene.look = (frame) => seen.push(frame.return);
    scene.reset(1);
    scene.step(0);
    scene.step(1);
    expect(seen).toEqual([0, 1, 2]);
  });
});

test("the heaviest weights are those of a plain sort", () => {
  const [inputs, outputs] = [3, 2];
  const weight = Float32Array.of(0.1, -3, 0.5, 2, -0.2, 0.05);
  expect(heaviest({ inputs, outputs, weight }, 3)).toEqual([
    { from: 2, to: 0, weight: 0.5 },
    { from: 0, to: 1, weight: 2 },
    { from: 1, to: 0, weight: -3 },
  ]);
});

/** The page's own training of few steps, in this process. */
async function weightsOf(name: EnvironmentName, steps: number): Promise<string> {
  const settings = settingsOf(name, { seed: "3" });
  const agent = new DQN(optionsOf(name, settings, sizesOf(name)));
  const scene = new Scene(name);
  const judged = { environment: new Scene(name), every: 500, episodes: 2, seed: 1_000_000 };
  await train(agent, scene, { steps, seed: 3, progressEvery: 20, evaluation: judged });
  expect(evaluate(agent, new Scene(name), { episodes: 1, seed: 0 })).toHaveLength(1);
  return createHash("sha256").update(agent.copyWeights()).digest("hex");
}

test.each(["CartPole-v1", "MountainCar-v0"] as const)(
  "the program that the page shows for %s makes the page's weights",
  async (name) => {
    const steps = 1200;
    const code = codeOf(name, settingsOf(name, { seed: "3" }), sizesOf(name))
      .replace(/steps: \d+,\n {2}seed/, `steps: ${steps},\n  seed`)
      .replace(/every: \d+,\n {4}episodes: \d+/, "every: 500,\n    episodes: 2")
      .replace(/,\n {4}stopAt: -?\d+/, "");
    mkdirSync(".build", { recursive: true });
    const file = `.build/playground-${name}.mjs`;
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8" });
    expect(printed).toContain(`weights ${await weightsOf(name, steps)}`);
  },
);
