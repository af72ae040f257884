/** The types of the package, as its users' compilers see them: every export, strict, and libraries are checked too. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import ts from "typescript";
import { execute } from "../runtimes/execute.js";
import { installPackages } from "../runtimes/install.js";
import type { Installed } from "./tarball.js";

/** The floor, that of this repository, and the newest. */
export const COMPILERS = ["5.7.3", "6.0.3", "7.0.2"];

const COMMON = { strict: true, skipLibCheck: false, target: "es2022", declaration: true };
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
const NODE = { module: "nodenext", moduleResolution: "nodenext" };

/** Compiler options of users, by what they write for. */
const KINDS: Readonly<Record<string, object>> = {
  "bundler, dom": { ...BUNDLER, lib: ["es2022", "dom"], types: [] },
  "nodenext, dom": { ...NODE, lib: ["es2022", "dom"], types: [] },
  "nodenext, webworker": { ...NODE, lib: ["es2022", "webworker"], types: [] },
  "nodenext, types of Node": { ...NODE, lib: ["es2022"], types: ["node"], typeRoots: [resolve("node_modules/@types")] },
};

/** The doors with types, by their name in an import. */
function doors(app: string): Record<string, string> {
  const own = join(app, "node_modules/liveq");
  const { exports } = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
  const typed = Object.entries<{ types?: string }>(exports).filter(([, target]) => target.types);
  return Object.fromEntries(typed.map(([path, { types }]) => [join("liveq", path), join(own, types!)]));
}

/** Writes a file for each door that exports by name all that it does. */
function writeExports(app: string): { files: string[]; count: number } {
  const all = doors(app);
  const program = ts.createProgram(Object.values(all), { target: ts.ScriptTarget.ES2022, types: [] });
  const checker = program.getTypeChecker();
  let count = 0;
  const files = Object.entries(all).map(([name, file]) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
    const names = checker.getExportsOfModule(symbol).map((each) => each.name);
    count += names.length;
    const output = `exports-${name.replaceAll("/", "-")}.mts`;
    writeFileSync(join(app, output), `export { ${names.join(", ")} } from "${name}";\n`);
    return output;
  });
  return { files, count };
}

/** @throws Error with the messages of the compiler. */
export async function checkTypes({ app }: Installed, version: string): Promise<string> {
  const script = join(installPackages({ typescript: version }), "node_modules/typescript/bin/tsc");
  const { files, count } = writeExports(app);
  for (const [kind, options] of Object.entries(KINDS)) {
    const folder = join(app, "tsc");
    mkdirSync(folder, { recursive: true });
    // TypeScript has let CommonJS require ES modules since 5.8.
    const isCommon = version >= "5.8" && "module" in options && options.module === "nodenext";
    const sources = ["usage.mts", ...(isCommon ? ["usage.cts"] : []), ...files].map((name) => join("..", name));
    const compilerOptions = { ...COMMON, ...options, rootDir: "..", outDir: "out" };
    const project = join(folder, "tsconfig.json");
    writeFileSync(project, JSON.stringify({ compilerOptions, files: sources }));
    const compiler = { name: "tsc", version, command: [process.execPath, script], env: {} };
    await execute(compiler, ["--project", project], { timeoutMs: 90_000 }).catch((error) => {
      throw new Error(`${kind}: ${error.message}`);
    });
  }
  return `${count} exports; ${Object.keys(KINDS).join("; ")}`;
}
