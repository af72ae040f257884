const DAY = 86_400_000;
const UNITS = [
  ["day", DAY],
  ["h", DAY / 24],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** Text for a cell of a table: on one line, the largest integers as powers. */
export function cell(text: string): string {
  const powers = text
    .replaceAll(String(Number.MAX_SAFE_INTEGER), "2^53 - 1")
    .replaceAll(String(2 ** 31 - 1), "2^31 - 1");
  return powers.replaceAll("|", "\\|").replace(/\s+/g, " ").trim();
}

const RANGE = /[,;] (?:in )?[[(]-?\d[^\])]*[\])](?=[.:;,]|$)/;
const BOUND = /, (?:finite, )?(?:>=?|at least) -?[\d.]*\d(?=[.:;,]|$)/;

/** A sentence without the range of a value, which has a column of its own. */
export function withoutRange(sentence: string): string {
  return sentence.replace(RANGE, "").replace(BOUND, "");
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A default as code; milliseconds also in the largest unit of which they are a multiple. */
export function codeFor(name: string, value: unknown): string {
  if (value === Number.MAX_SAFE_INTEGER) return "no bound";
  if (value === Number.MAX_VALUE || value === Number.POSITIVE_INFINITY) return "no bound";
  if (typeof value === "function") return "a function";
  const code = `\`${codeOf(value)}\``;
  const unit = typeof value === "number" && value > 0 && /Ms$/.test(name) && UNITS.find(([, ms]) => value % ms === 0);
  return unit ? `${code} (${value / unit[1]} ${unit[0]}${unit[0] === "day" && value > DAY ? "s" : ""})` : code;
}

/** A value as one would write it in a program. */
function codeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(codeOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const { name } = value as { name?: unknown };
  // What has methods is made by the function of its name: a group of features, `session()`.
  if (typeof name === "string" && Object.values(value).some((each) => typeof each === "function")) return `${name}()`;
  const fields = Object.entries(value).map(([name, each]) => `${name}: ${codeOf(each)}`);
  return fields.length > 0 ? `{ ${fields.join(", ")} }` : "{}";
}

const BLOCK = /<!-- generated: ([\w-]+) -->\n[\s\S]*?<!-- end -->/g;

/** The names of the blocks that a text has room for. */
export function blocksIn(text: string): string[] {
  return [...text.matchAll(BLOCK)].map(([, name]) => name!);
}

/** The text with its generated blocks replaced. @throws Error where one is not known. */
export function filled(text: string, block: (name: string) => string): string {
  return text.replace(BLOCK, (_, name: string) => `<!-- generated: ${name} -->\n\n${block(name)}\n\n<!-- end -->`);
}
