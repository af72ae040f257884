/** The package as its users get it: packed, and installed into an empty folder. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npm, run } from "../runtimes/install.js";

/** Where the packed package is, and where it is installed. */
export interface Installed {
  /** Ends with the process. */
  folder: string;
  tarball: string;
  version: string;
  /** The folder of a user, with the programs of `consumers` and the package in its node_modules. */
  app: string;
}

const PROGRAMS = "test/packaging/consumers";

/** Builds and packs the package, and installs it from the registry's point of view: the tarball and what it asks for. */
export function installed(): Installed {
  const folder = mkdtempSync(join(tmpdir(), "liveq-packaging-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  run([...npm(), "pack", "--pack-destination", folder]);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  run([...npm(), "install", "--prefix", app, "--no-audit", "--no-fund", tarball], { cwd: app });
  for (const name of readdirSync(PROGRAMS)) copyFileSync(join(PROGRAMS, name), join(app, name));
  const { version } = JSON.parse(readFileSync(join(app, "node_modules/liveq/package.json"), "utf8"));
  return { folder, tarball, version, app };
}

interface Tree {
  problems?: string[];
  dependencies?: Record<string, Tree>;
}

/** Names of all packages below, itself left out. */
function namesIn({ dependencies = {} }: Tree): string[] {
  return Object.entries(dependencies).flatMap(([name, tree]) =>
    Object.keys(tree).length ? [name, ...namesIn(tree)] : [],
  );
}

/** What came with the package. @throws Error where it is not exactly what package.json asks for. */
export function checkInstalled({ app, folder }: Installed): string {
  const tree: Tree = JSON.parse(run([...npm(), "ls", "--prefix", app, "--all", "--json"], { cwd: app }));
  const { dependencies, files } = JSON.parse(readFileSync("package.json", "utf8"));
  const found = [...new Set(namesIn(tree))].sort().join(", ");
  const wanted = ["liveq", ...Object.keys(dependencies)].sort().join(", ");
  if (found !== wanted || tree.problems) throw new Error(`npm has installed ${found}; ${tree.problems ?? ""}`);
  const own = join(app, "node_modules/liveq");
  const top = readdirSync(own).sort().join(", ");
  const folders = files.map((file: string) => file.split("/")[0]);
  const expected = [...new Set(folders), "CHANGELOG.md", "LICENSE", "README.md", "package.json"].sort();
  for (const name of readdirSync(own)) if (!expected.includes(name)) throw new Error(`the package holds ${top}`);
  const all = readdirSync(own, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  for (const { name, parentPath } of all) {
    const text = readFileSync(join(parentPath, name), "latin1");
    for (const path of [process.cwd(), folder]) if (text.includes(path)) throw new Error(`${name} names ${path}`);
  }
  return `${all.length} files; installs ${found}`;
}
