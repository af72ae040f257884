/** The package as its users get it: packed, and installed into an empty folder. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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

/** Most direct dependencies, and most bytes that `npm install` puts on a disk. */
const DEPENDENCIES = 6;
const INSTALLED = 8_000_000;
/** Scripts that npm runs when it installs a package. */
const SCRIPTS = ["preinstall", "install", "postinstall"];

/** The weight of an installation, in words. @throws Error where it is too heavy, or runs or holds what it must not. */
function weightOf(app: string, direct: number): string {
  if (direct > DEPENDENCIES) throw new Error(`the package has ${direct} direct dependencies, at most ${DEPENDENCIES}`);
  const all = readdirSync(join(app, "node_modules"), { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const { name, parentPath } of all.filter((each) => each.isFile())) {
    const path = join(parentPath, name);
    bytes += statSync(path).size;
    if (/\.(?:node|so|dll|dylib|exe)$/.test(name) || name === "binding.gyp") throw new Error(`${path} is native`);
    if (name !== "package.json") continue;
    const { scripts = {} } = JSON.parse(readFileSync(path, "utf8"));
    const script = SCRIPTS.find((each) => Object.hasOwn(scripts, each));
    // npm links no package within another one's folder, but those of its node_modules.
    if (script !== undefined && isRoot(parentPath)) throw new Error(`${path} has the script "${script}"`);
  }
  if (bytes > INSTALLED) throw new Error(`${bytes} bytes are installed, at most ${INSTALLED}`);
  return `${(bytes / 1e6).toFixed(2)} MB, ${direct} direct dependencies, no install scripts, nothing native`;
}

/** Whether a folder is that of an installed package. */
function isRoot(folder: string): boolean {
  return /node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+$/.test(folder);
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
  return `${all.length} files; installs ${found}: ${weightOf(app, Object.keys(dependencies).length)}`;
}
