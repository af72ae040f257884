import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { commitAround } from "../../src/cli/origins/commit.js";
import { digestsOf } from "../../src/cli/origins/digest.js";
import { append, findRun, type Run, readRuns, registryOf } from "../../src/cli/registry/registry.js";
import { liveq } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();
const [ONE, TWO] = ["1".repeat(40), "2".repeat(40)] as const;

const run = (id: string): Run => ({
  ...{ id, time: "2026-11-29T14:00:00.000Z", command: "train", line: ["train"], options: { gamma: 0.9 }, data: [] },
  ...{ version: "1", runtime: "node", seconds: 1, exit: 0, figures: [], verdicts: [] },
});

describe("the commit of a work tree", () => {
  test("is read from a branch's file, from packed ones, from a detached head, and by way of a linked work tree", () => {
    const git = at("tree", ".git");
    mkdirSync(at("tree", "deep", "er"), { recursive: true });
    mkdirSync(at("tree", ".git", "refs", "heads"), { recursive: true });
    writeFileSync(`${git}/HEAD`, "ref: refs/heads/main\n");
    expect(commitAround(at("tree"))).toBeUndefined();
    writeFileSync(`${git}/packed-refs`, `# pack-refs\n${TWO} refs/heads/other\n${ONE} refs/heads/main\n`);
    expect(commitAround(at("tree", "deep", "er"))).toBe(ONE);
    writeFileSync(`${git}/refs/heads/main`, `${TWO}\n`);
    expect(commitAround(at("tree"))).toBe(TWO);
    mkdirSync(at("tree", ".git", "worktrees", "side"), { recursive: true });
    mkdirSync(at("side"));
    writeFileSync(`${git}/worktrees/side/HEAD`, "ref: refs/heads/main\n");
    writeFileSync(`${git}/worktrees/side/commondir`, "../..\n");
    writeFileSync(at("side", ".git"), `gitdir: ${git}/worktrees/side\n`);
    expect(commitAround(at("side"))).toBe(TWO);
    writeFileSync(`${git}/HEAD`, `${ONE}\n`);
    expect(commitAround(at("tree"))).toBe(ONE);
  });

  test("is none where the files are of another kind", () => {
    mkdirSync(at("odd"));
    writeFileSync(at("odd", ".git"), "nothing\n");
    expect([undefined, commitAround("/")]).toContain(commitAround(at("odd")));
    mkdirSync(at("bare", ".git"), { recursive: true });
    expect(commitAround(at("bare"))).toBeUndefined();
    writeFileSync(at("bare", ".git", "HEAD"), "not a hash\n");
    expect(commitAround(at("bare"))).toBeUndefined();
  });
});

test("a digest is of the contents, of a very large file of its name, size and time; stdin and no file have none", () => {
  const file = at("data", "log.jsonl");
  mkdirSync(at("data", "inner"), { recursive: true });
  writeFileSync(file, "abc");
  const sha256 = createHash("sha256").update("abc").digest("hex");
  expect(digestsOf([file])).toEqual([{ file, bytes: 3, sha256, of: "contents" }]);
  expect(digestsOf([at("data")])).toEqual(digestsOf([file]));
  expect(digestsOf(["-", at("none")])).toEqual([{ file: "stdin" }, { file: at("none") }]);
  const [large] = digestsOf([file], 2);
  expect([large!.of, large!.sha256 === sha256]).toEqual(["name, size and time", false]);
});

describe("the registry", () => {
  test("is the option's file, else the environment's, else one in the current folder, or none", () => {
    const before = process.env["LIVEQ_RUNS"];
    expect(registryOf({})).toBeUndefined();
    expect(registryOf({ runs: "x" })).toBe("x");
    expect(registryOf({ runs: "x", run: false })).toBeUndefined();
    process.env["LIVEQ_RUNS"] = "";
    expect(registryOf({})).toBe("liveq-runs.jsonl");
    process.env["LIVEQ_RUNS"] = "y";
    expect(registryOf({})).toBe("y");
    process.env["LIVEQ_RUNS"] = before;
  });

  test("keeps rows, and counts lines that are none", () => {
    const file = at("kept.jsonl");
    append(file, run("aa11"));
    appendFileSync(file, '{"torn\nnull\n[]\n{"id":1}\n');
    append(file, run("aa22"));
    append(file, { ...run("bb33"), options: { satiation: Infinity } });
    const { runs, others } = readRuns(file);
    const infinite = { ...run("bb33"), options: { satiation: "Infinity" } };
    expect([runs, others]).toEqual([[run("aa11"), run("aa22"), infinite], 4]);
    expect([findRun(runs, "last").id, findRun(runs, "aa1").id]).toEqual(["bb33", "aa11"]);
    expect(() => findRun(runs, "aa")).toThrow('"aa" must be the beginning of one run\'s id, or "last": 2 runs of 3');
    expect(() => findRun(runs, "c")).toThrow("no run of 3 begin so");
    expect(() => readRuns(at("none"))).toThrow("none: no runs yet; simulate, train,");
    expect(() => readRuns(at())).toThrow("must be a registry of runs: EISDIR");
  });

  test("gets a row from each run, of a failed one too, but of wrong usage none; liveq runs lists, shows and compares", async () => {
    const file = at("runs.jsonl");
    const size = ["simulate", "--viewers", "20", "--streamers", "30", "--days", "1", "--runs", file];
    expect((await liveq(...size)).code).toBe(0);
    expect((await liveq(...size, "--ab", "random,popular")).code).toBe(2);
    expect((await liveq(...size, "--no-run")).code).toBe(0);
    expect((await liveq(...size, "--seed", "2", "--out", at("log.jsonl"))).code).toBe(0);
    expect((await liveq("evaluate", "--events", at("none"), "--runs", file)).code).toBe(1);
    const { runs } = readRuns(file);
    expect(runs.map(({ command, exit, seed }) => [command, exit, seed])).toEqual([
      ["simulate", 0, 1],
      ["simulate", 0, 2],
      ["evaluate", 1, 1],
    ]);
    expect(runs[0]!.options).toMatchObject({ viewers: 20, policy: "random", newcomers: true });
    expect(runs[0]!.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(runs[0]!.figures[0]).toMatchObject({ case: "livesim/random", unit: "1" });
    expect(runs[2]!.error).toContain("none");

    const [one, two] = runs.map(({ id }) => id);
    const list = await liveq("runs", "--runs", file, "--command", "simulate");
    expect(list.out.split("\n")).toHaveLength(5);
    expect((await liveq("runs", "show", "last", "--runs", file)).out).toMatch(/\ncommand +liveq evaluate --events/);
    const both = await liveq("runs", "compare", one!, two!, "--runs", file);
    expect(both.out).toMatch(/\nseed +1 +2\n/);
    const json = JSON.parse((await liveq("runs", "compare", one!, two!, "--runs", file, "--json")).out);
    expect(Object.keys(json.differences)).toEqual(["seed", "out"]);
    expect(json.figures).toHaveLength(runs[0]!.figures.length);
    expect((await liveq("runs", "show", "--runs", file)).err).toContain('"liveq runs show" takes 1 ids, got 0');
  });

  test("that cannot be written is a warning", async () => {
    const size = ["simulate", "--viewers", "20", "--streamers", "30", "--days", "1"];
    const { code, err } = await liveq(...size, "--runs", at("no", "folder.jsonl"));
    expect(code).toBe(0);
    expect(err).toContain("folder.jsonl: the run is not in the registry: ENOENT");
    expect(existsSync("liveq-runs.jsonl")).toBe(false);
    expect(readFileSync(".gitignore", "utf8")).toContain("liveq-runs.jsonl\n");
  });
});
