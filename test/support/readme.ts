import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { transformSync } from "esbuild";
import ts from "typescript";

/** The programs in a README: its blocks of `ts`. */
export function programsIn(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program]) => program!);
}

/** A folder that has the package, as a user's project does. */
function projectFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "liveq-readme-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(resolve("."), join(folder, "node_modules", "liveq"), "junction");
  return folder;
}

/** Runs a program by package name in a folder of its own. @returns Its output. @throws Error if it fails. */
export function runProgram(program: string): Promise<string> {
  const folder = projectFolder();
  const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
  const { code } = transformSync(program, { loader: "ts", format: "esm", target: "es2022", tsconfigRaw });
  const words = ["--input-type=module", "-e", code];
  return new Promise<string>((done, fail) => {
    execFile(process.execPath, words, { cwd: folder }, (error, out) => (error ? fail(error) : done(out)));
  }).finally(() => rmSync(folder, { recursive: true }));
}

/** What the strict compiler objects to in programs of a user's project that has the types of a page. */
export function typeErrors(programs: readonly string[]): string[] {
  const folder = projectFolder();
  const files = programs.map((_, i) => join(folder, `program${i}.ts`));
  for (const [i, program] of programs.entries()) writeFileSync(files[i]!, `${program}\nexport {};\n`);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const found = ts.getPreEmitDiagnostics(
    ts.createProgram(files, {
      strict: true,
      noEmit: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
    }),
  );
  rmSync(folder, { recursive: true });
  return found.map(({ file, messageText }) => {
    return `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
