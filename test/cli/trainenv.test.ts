import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import { DQN } from "../../src/index.js";
import { interrupted, liveq, liveqAlone, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();

/** A walk to the right, where the reward is. */
const WALK = `
export default class Walk {
  observationSize = 2;
  actions = 2;
  #at = 0;
  #steps = 0;
  #seed = 0;
  reset(seed = this.#seed + 1) {
    this.#seed = seed;
    this.#at = seed % 3;
    this.#steps = 0;
    return this.#see();
  }
  step(action) {
    this.#at += action === 1 ? 1 : -1;
    this.#steps++;
    const terminated = Math.abs(this.#at) > 5;
    return { observation: this.#see(), reward: this.#at > 5 ? 1 : 0, terminated, truncated: this.#steps >= 30 };
  }
  state() {
    return { at: this.#at, steps: this.#steps, seed: this.#seed };
  }
  restore(state) {
    if (!Number.isInteger(state?.at)) throw new TypeError("no state");
    this.#at = state.at;
    this.#steps = state.steps;
    this.#seed = state.seed;
  }
  #see() {
    return [this.#at / 5, 1];
  }
}
`;
const SMALL = ["--set", "hidden=[8]", "learningStarts=100", "batchSize=8", "capacity=2000"];

beforeAll(() => {
  writeFileSync(at("walk.mjs"), WALK);
  writeFileSync(at("object.mjs"), `import Walk from "./walk.mjs";\nexport default new Walk();\n`);
  const asynchronous = `class extends Walk { async reset(seed) { return super.reset(seed); } async step(a) { return super.step(a); } }`;
  writeFileSync(at("late.mjs"), `import Walk from "./walk.mjs";\nexport default ${asynchronous};\n`);
  const slow =
    "class extends Walk { step(a) { for (let i = 0; i < 300000; i++) this.x = Math.fround(i); return super.step(a); } }";
  writeFileSync(at("slow.mjs"), `import Walk from "./walk.mjs";\nexport default ${slow};\n`);
  const push = `class {
    observationSize = 1;
    continuous = { low: [-1], high: [1] };
    #steps = 0;
    reset() { this.#steps = 0; return [0.5]; }
    step(action) { return { observation: [action[0]], reward: -(action[0] ** 2), terminated: ++this.#steps === 5, truncated: false }; }
  }`;
  writeFileSync(at("push.mjs"), `export default ${push};\n`);
});

describe("train-env", () => {
  test("trains, evaluates, and writes an agent, figures, checkpoints, a report and TensorBoard's file", async () => {
    const words = [
      "--steps",
      "3000",
      "--evaluate-every",
      "1000",
      "--checkpoint-every",
      "700",
      "--model",
      at("a.liveq"),
    ];
    const outputs = ["--json", "-", "--report", at("a.html"), "--tensorboard", at("board"), "--no-run"];
    const { code, out, err } = await liveq("train-env", at("walk.mjs"), ...words, ...outputs, ...SMALL);
    expect([code, err]).toEqual([0, expect.stringContaining("a.liveq written: 3000 steps")]);
    const rows = rowsIn(out);
    expect(rows.map(({ metric }) => metric)).toEqual([
      "steps",
      "episodes",
      "recent_return",
      "best_return",
      "best_step",
    ]);
    expect(rows.every(({ suite, case: name }) => suite === "train-env" && name === "walk")).toBe(true);
    expect(rows.find(({ metric }) => metric === "best_return")!.value).toBe(1);
    const agent = DQN.load(readFileSync(at("a.liveq")));
    expect([agent.steps, agent.options.hidden]).toEqual([3000, [8]]);
    expect(readdirSync(at("a.liveq.checkpoints")).map((name) => Number(name.slice(0, 16)))).toEqual([1400, 2100, 2800]);
    expect(readFileSync(at("a.html"), "utf8")).toContain("mean return");
    expect(readdirSync(at("board"))).toEqual([expect.stringMatching(/^events\.out\.tfevents\./)]);
  });

  test("continues from a checkpoint to the bit, and a new training does not overwrite the old one's", async () => {
    const common = ["--checkpoint-every", "1000", ...SMALL];
    await liveq("train-env", at("walk.mjs"), "--steps", "4000", "--model", at("whole.liveq"), "--no-run", ...common);
    const words = ["train-env", at("walk.mjs"), "--model", at("part.liveq"), "--no-run", ...common];
    await liveq(...words, "--steps", "2000");
    const again = await liveq(...words, "--steps", "4000");
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("continue it by --resume")]);
    const resumed = await liveq(...words, "--steps", "4000", "--resume");
    expect([resumed.code, resumed.err]).toEqual([0, expect.stringContaining("continues from step 2000")]);
    expect(readFileSync(at("part.liveq")).equals(readFileSync(at("whole.liveq")))).toBe(true);
  });

  test("loses nothing by Ctrl-C", async () => {
    const words = ["train-env", at("slow.mjs"), "--steps", "1000000", "--model", at("cut.liveq"), "--no-run", ...SMALL];
    const { code, err } = await interrupted(/steps\/s/, undefined, ...words);
    expect([code, err]).toEqual([130, expect.stringContaining("interrupted")]);
    const [checkpoint] = readdirSync(at("cut.liveq.checkpoints"));
    const { steps } = DQN.load(readFileSync(at("cut.liveq")));
    expect(Number(checkpoint!.slice(0, 16))).toBe(steps);
    expect(steps).toBeGreaterThan(0);
  });

  test.each([
    ["late.mjs", []],
    ["object.mjs", []],
    ["walk.mjs", ["--environments", "4"]],
    ["walk.mjs", ["--actors", "2"]],
  ])("takes %s %j", async (name, words) => {
    const model = at(`${name}-${words.length > 0 ? words[0] : ""}.liveq`);
    const run = ["train-env", at(name), "--steps", "1000", "--model", model, "--no-run", ...words, ...SMALL];
    const { code, err } = await liveqAlone(...run);
    expect([code, err]).toEqual([0, expect.stringContaining("written: 1000 steps")]);
    expect(DQN.load(readFileSync(model)).steps).toBe(1000);
  });

  test("takes actions that are numbers", async () => {
    const run = ["train-env", at("push.mjs"), "--steps", "600", "--model", at("push.liveq"), "--no-run"];
    const { code, err } = await liveq(...run, ...SMALL, "--tensorboard", at("pushed"));
    expect([code, err]).toEqual([0, expect.stringContaining("written: 600 steps")]);
    expect(ContinuousAgent.load(readFileSync(at("push.liveq"))).steps).toBe(600);
  });

  test.each([
    ["absent.mjs", undefined, "cannot be loaded: Cannot find module"],
    [
      "empty.mjs",
      "export const x = 1;",
      "the default export must be a class of environments or an environment, got none",
    ],
    ["arrow.mjs", "export default () => 1;", '"new" of the default export fails'],
    ["syntax.mjs", "export default {", "cannot be loaded"],
    ["breach.mjs", "export default { observationSize: 2, actions: 0 };", '"actions" must be an integer >= 1, got 0'],
  ])("names what is wrong with %s", async (name, code, message) => {
    if (code !== undefined) writeFileSync(at(name), code);
    const run = await liveq("train-env", at(name), "--model", at("none.liveq"), "--no-run");
    expect([run.code, run.err]).toEqual([1, expect.stringContaining(message)]);
    expect(run.err).toContain(at(name));
    expect(existsSync(at("none.liveq"))).toBe(false);
  });

  test("names wrong options", async () => {
    const run = (...words: string[]) =>
      liveq("train-env", at("walk.mjs"), "--model", at("none.liveq"), "--no-run", ...words);
    expect((await run("--set", "gamma=2")).err).toContain('"gamma" must be in [0, 1], got 2');
    expect((await run("--set", "gamma")).err).toContain("--set must be name=value");
    expect((await run("--resume")).err).toContain("there is no checkpoint to continue from");
    expect(await run("--resume", "--actors", "2")).toMatchObject({ code: 2 });
    const one = await liveq(
      "train-env",
      at("object.mjs"),
      "--evaluate-every",
      "10",
      "--no-run",
      "--model",
      at("none.liveq"),
    );
    expect(one.err).toContain("--evaluate-every needs a class");
  });
});
