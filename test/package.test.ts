import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const { exports, bin, imports } = JSON.parse(readFileSync("package.json", "utf8"));

/** All file names in a tree of conditions. */
function leaves(tree: unknown): string[] {
  return typeof tree === "string" ? [tree] : Object.values(tree as object).flatMap(leaves);
}

/** What each room says, and no other: built files have lost the names of their sources and of classes. */
const MARKS = {
  recommender: /"reward\.bounceMs" is not an option/,
  exchange: /brain\.Event:2/,
  engine: /new WebAssembly\.Instance/,
  training: /there must be at least one environment/,
};

test("the marks by which built rooms are told apart are in them", () => {
  for (const [room, mark] of Object.entries(MARKS)) {
    const door = ["engine", "training"].includes(room) ? "dist/index.js" : `dist/${room}/index.js`;
    expect(
      reachedFrom(door).some((file) => mark.test(readFileSync(file, "utf8"))),
      room,
    ).toBe(true);
  }
});

/** A built file and all that it imports. */
function reachedFrom(start: string): string[] {
  const reached = new Set<string>();
  const follow = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, next] of readFileSync(file, "utf8").matchAll(/(?:from|import) ?"(\.[^"]+)"/g)) {
      follow(join(dirname(file), next!));
    }
  };
  follow(start);
  return [...reached];
}

test("the build makes every file that package.json names", () => {
  for (const file of leaves([exports, bin, imports])) expect(existsSync(file), file).toBe(true);
});

test("the package works by its names, and the engine's entry loads neither the recommender nor the exchange", () => {
  const code = `
    import { DQN } from "liveq";
    import { Recommender } from "liveq/recommender";
    import { TensorBoardWriter, toOnnx } from "liveq/exchange";
    const agent = new DQN({ observation: 2, actions: 2 });
    const recommender = new Recommender();
    new TensorBoardWriter((bytes) => console.log(bytes.length), 0);
    console.log(agent.act([0, 0]) < 2, toOnnx(agent).length > 4000);
    console.log(recommender.recommend({ user: "u", now: 0, k: 3 }).slate.length);
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  expect(out).toBe("31\ntrue true\n0\n");
  const reached = reachedFrom("dist/index.js");
  const all = reached.map((file) => readFileSync(file, "utf8")).join("");
  expect(reached.length).toBeGreaterThan(1);
  expect(all).not.toMatch(MARKS.recommender);
  expect(all).not.toMatch(MARKS.exchange);
  expect(all).not.toContain("valibot");
  // Nor the agent with continuous actions, whose module is another one; and that loads no DQN.
  expect(all).not.toContain("#continuous");
  expect(all).not.toContain("#int8");
  const own = reachedFrom("dist/engine/continuous/index.js").map((file) => readFileSync(file, "utf8"));
  expect(own.join("")).toContain("#continuous");
  expect(own.join("")).not.toContain("#module");
});

test("what `npm run test:packaging` runs everywhere has its committed hash on this Node", () => {
  const out = execFileSync(process.execPath, ["test/packaging/consumers/console.mjs"], { encoding: "utf8" });
  const hash = readFileSync("test/packaging/hash.txt", "utf8").trim();
  expect(JSON.parse(out)).toEqual({ hash, threads: 1, threadsReason: "" });
});

test("the types name no file that is not in the package", () => {
  const typed = Object.values<{ types?: string }>(exports).flatMap(({ types }) => types ?? []);
  const seen = new Set<string>();
  const follow = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, next] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      follow(join(dirname(file), next!.replace(/\.js$/, ".d.ts")));
    }
  };
  for (const file of typed) follow(file);
  expect(seen.size).toBeGreaterThan(typed.length);
});

test("liveq/exchange loads neither the engine nor anything of Node", () => {
  const all = reachedFrom("dist/exchange/index.js")
    .map((file) => readFileSync(file, "utf8"))
    .join("");
  for (const mark of [MARKS.engine, MARKS.training]) expect(all).not.toMatch(mark);
  for (const name of ["#module", '"node:', "@assemblyscript/loader"]) expect(all).not.toContain(name);
});

test("the lock file serves other platforms, and holds exact versions of what package.json asks for", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { dependencies?: object; devDependencies?: object; optionalDependencies?: object }>;
  };
  for (const name of ["@biomejs/cli", "@esbuild", "@rolldown/binding"]) {
    for (const platform of ["darwin-arm64", "darwin-x64", "win32-x64", "linux-arm64"]) {
      const found = Object.keys(packages).filter((path) => path.includes(`/${name}`) && path.includes(platform));
      expect(found, `${name} for ${platform}`).not.toEqual([]);
    }
  }
  // npm ci refuses a lock file in which an optional dependency of a package has no entry.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
  const { dependencies, devDependencies } = packages[""]!;
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
