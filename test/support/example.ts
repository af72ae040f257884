import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const runs = new Map<string, string[]>();

/** The lines that an example prints, run once as its users run it: the compiled file, in a process of its own. */
export function printed(name: string): string[] {
  let lines = runs.get(name);
  if (lines === undefined) {
    lines = execFileSync(process.execPath, [`dist/examples/${name}.js`], { encoding: "utf8" })
      .trimEnd()
      .split("\n");
    runs.set(name, lines);
  }
  return lines;
}

/** The lines that an example's page says that it prints. */
export function promised(name: string): string[] {
  const page = readFileSync(`src/examples/${name}.ts`, "utf8");
  const [, lines = ""] = /^ \* Prints.*:\n \*\n((?: \* {3}.*\n)+)/m.exec(page) ?? [];
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(5));
}

/** The numbers of the only line that holds a text, from that text on. */
export function numbersAfter(lines: readonly string[], text: string): number[] {
  const found = lines.filter((line) => line.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} lines hold ${JSON.stringify(text)}:\n${lines.join("\n")}`);
  const rest = found[0]!.slice(found[0]!.indexOf(text) + text.length);
  return [...rest.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number));
}

/** The first of them. */
export function numberAfter(lines: readonly string[], text: string): number {
  return numbersAfter(lines, text)[0]!;
}
