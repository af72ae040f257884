import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readRows } from "../src/cli/writing/results.js";
import { parseEvent } from "../src/protocol/index.js";
import { roomsWithReadme } from "./docs/reference.js";
import { COMMAND, liveq } from "./support/command.js";
import { drawing } from "./support/house.js";
import { programsIn, runProgram, typeErrors } from "./support/readme.js";

const README = readFileSync("README.md", "utf8");
const { exports, bin } = JSON.parse(readFileSync("package.json", "utf8"));

/** Rooms whose own tests look closer at what the programs of their READMEs print. */
const TESTED = ["engine", "exchange", "node", "protocol", "server", "training"];

/** The blocks of a language in README. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text]) => text!);
}

test("README has at most 250 lines", () => {
  expect(README.split("\n").length - 1).toBeLessThanOrEqual(250);
});

describe("the quick starts", () => {
  const folder = mkdtempSync(join(tmpdir(), "liveq-start-"));
  const programs = programsIn("README.md");
  afterAll(() => rmSync(folder, { recursive: true }));

  test("the first is the engine's, whose test sees it reach 500", () => {
    expect(programs[0]).toBe(programsIn("src/engine/README.md")[0]);
  });

  test("the handler takes events and recommends the stream that is on air", async () => {
    expect(programs).toHaveLength(2);
    expect(await runProgram(programs[1]!)).toBe("[ 's1' ] [ 1 ]\n");
  });

  test("they are TypeScript by strict rules", () => {
    expect(typeErrors(programs)).toEqual([]);
  });

  test("the lines of the log are events, in order of time", () => {
    const events = blocks("json")[0]!
      .trimEnd()
      .split("\n")
      .map((line) => parseEvent(JSON.parse(line)));
    expect(events.map(({ kind }) => kind)).toEqual(["on_air", "impression", "click", "watch"]);
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort());
  });

  test("the commands run on a log, one after the other", async () => {
    const log = join(folder, "events.jsonl");
    const size = ["--viewers", "60", "--streamers", "100", "--days", "2"];
    expect((await liveq("simulate", ...size, "--out", log)).code).toBe(0);
    const lines = blocks("sh")
      .find((block) => block.includes("liveq prepare"))!
      .trimEnd()
      .split("\n");
    expect(lines).toHaveLength(4);
    let out = "";
    for (const line of lines) {
      const [npx, name, ...words] = line.split(" ");
      expect([npx, name]).toEqual(["npx", "liveq"]);
      out = execFileSync(process.execPath, [resolve(COMMAND), ...words], {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    }
    expect(out).toContain("propensity");
  });
});

test("the drawing is that of the house, room by room", () => {
  const [, drawn] = /<!-- house -->\n+```\n([\s\S]*?)\n```\n+<!-- end -->/.exec(README)!;
  expect(drawn).toBe(drawing());
});

test("the table of doors has each door of the package, and the README of each room that has one", () => {
  const section = README.slice(README.indexOf("\n## Doors"), README.indexOf("\n## Three figures"));
  const listed = [...section.matchAll(/^\| `(liveq[^`]*)`/gm)].map(([, name]) => name);
  const doors = Object.keys(exports).map((name) => name.replace(/^\./, "liveq"));
  expect(listed.sort()).toEqual(doors.filter((name) => name !== "liveq/package.json").sort());
  expect(section).toContain(`| the command \`${Object.keys(bin)[0]}\``);
  for (const room of roomsWithReadme()) expect(section).toContain(`(src/${room}/README.md)`);
});

test("the three figures are those of committed rows", () => {
  const value = (file: string, name: string, metric: string) =>
    readRows(`bench/results/${file}.json`).find((row) => row.case === name && row.metric === metric)!.value;
  const games = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"];
  const returns = games.map((name) => value("learning", name, "return_iqm").toFixed(1)).join(", ");
  const solved = games.map((name) => value("learning", name, "solved_seeds"));
  const update = (peer: string) => `${(value("peers", `train/L/${peer}`, "median_us") / 1000).toFixed(2)} ms`;
  const minutes = (policy: string) => value("livesim", `livesim/${policy}`, "watch_min_per_user_day").toFixed(1);
  expect(solved).toEqual([20, 20, 20]);
  expect(README).toContain(`${returns}; 20 of 20 seeds`);
  expect(README).toContain(
    `${update("liveq")}; PyTorch ${update("pytorch")}, tfjs on Wasm ${update("tfjs-wasm")}, ` +
      `the same algorithm in C with AVX2 ${update("c-avx2")}`,
  );
  expect(README).toContain(
    `${minutes("dqn")}; most popular ${minutes("popular")}, random ${minutes("random")} | \`npm start`,
  );
});

test("the changelog names what the doors have now, and no removed name is left at one", () => {
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  const names = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  const at = (door: string) => {
    const [exported] = readFileSync(`test/doors/${door.replace("liveq/", "")}.txt`, "utf8").split("\n# Mentioned");
    return [...exported!.matchAll(/^## (\S+)/gm)].map(([, name]) => name!);
  };
  let door = "";
  for (const [, where, before, now] of changelog.matchAll(/^\| (.*?) ?\| (`.*) \| (`.*) \|$/gm)) {
    door = names(where!).at(-1) ?? door;
    if (door === "Recommender") continue;
    expect(names(before!), `${before}`).toHaveLength(names(now!).length);
    expect(at(door)).toEqual(expect.arrayContaining(names(now!)));
  }
  const removed = names(changelog.slice(changelog.indexOf("### Removed"))).filter((name) => /^\w+$/.test(name));
  expect(removed.length).toBeGreaterThan(10);
  const doors = Object.keys(exports).filter((name) => !/\.\w+$/.test(name));
  const left = new Set(doors.flatMap((name) => at(name.replace(/^\./, "liveq"))));
  expect(removed.filter((name) => left.has(name))).toEqual([]);
});

describe("what ships", () => {
  const words = ["pack", "--dry-run", "--ignore-scripts", "--json"];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const [{ files }] = JSON.parse(execFileSync(npm, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  const shipped = new Set<string>(files.map(({ path }: { path: string }) => path));
  const pages = [...shipped].filter((path) => path.endsWith(".md"));
  /** A page without the section about files that do not ship. */
  const textOf = (page: string) => readFileSync(page, "utf8").replace(/^## In the repository\n[\s\S]*?(?=^## )/m, "");

  test("is the README of every room that has one, and the sources of the examples", () => {
    expect(pages).toEqual(expect.arrayContaining(roomsWithReadme().map((room) => `src/${room}/README.md`)));
    const sources = [...shipped].filter((path) => /^src\/.*\.ts$/.test(path));
    expect(sources.filter((path) => !path.startsWith("src/examples/"))).toEqual([]);
  });

  test.each(pages)("%s links only to files that ship, and to headings that are there", (page) => {
    for (const [, target, heading] of textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const file = target === "" ? page : normalize(join(dirname(page), target!));
      const isFolder = [...shipped].some((path) => path.startsWith(`${file}/`));
      expect(shipped.has(file) || isFolder, `${page} links to ${file}`).toBe(true);
      if (!heading) continue;
      const titles = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      );
      expect(titles, `${page} links to ${file}#${heading}`).toContain(heading);
    }
  });

  test.each(pages)("%s names only files that ship, or says that they are in the repository", (page) => {
    const text = textOf(page);
    for (const { 1: name, index } of text.matchAll(/`((?:assembly|bench|src|test)\/[\w./-]*)`/g)) {
      const around = text.slice(Math.max(0, index - 160), index + 160).replace(/\s+/g, " ");
      const isThere = [...shipped].some((path) => path.startsWith(name!));
      expect(isThere || around.includes("in the repository"), `${page} names ${name}`).toBe(true);
    }
  });

  test("the section about the repository links to files that are there", () => {
    const section = README.slice(README.indexOf("## In the repository"));
    for (const [, target] of section.matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(target!), target).toBe(true);
  });
});

describe("the programs in the READMEs of rooms", () => {
  const programs = roomsWithReadme()
    .filter((room) => !TESTED.includes(room))
    .flatMap((room) => programsIn(`src/${room}/README.md`).map((program, i) => ({ room, number: i + 1, program })));

  test.each(programs)("$room, $number, runs as written", async ({ program }) => {
    await expect(runProgram(program)).resolves.toBeTypeOf("string");
  });
});
