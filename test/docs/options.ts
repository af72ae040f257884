import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import type { Rule } from "../../src/check/index.js";
import { cell, codeFor, tableOf, withoutRange } from "./markdown.js";
import { type Field, type Interfaces, type Read, readSource, type Shape } from "./sources.js";

/** Options as the code checks them: the very objects that a call of `checked` is given. */
export interface Options {
  /** The interface of the options. */
  readonly name: string;
  readonly file: string;
  /** What stands before their names in messages, such as `explore.`. */
  readonly path: string;
  readonly rules: Readonly<Record<string, Rule>>;
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Options whose default depends on others: TSDoc says how. */
  readonly dependent: readonly string[];
}

/** A call of `checked` with a table: source texts of its arguments. */
interface Call {
  name: string;
  table: string;
  path: string;
  /** Expressions that make up the defaults, each beside the name of the one option that it is for, if it is for one. */
  defaults: [option: string, expression: string][];
}

/** The calls of `checked` in a source, with a table that a constant `...: Rules<NAME>` holds. */
function callsIn(source: ts.SourceFile): Call[] {
  const constants = new Map<string, ts.VariableDeclaration>();
  const calls: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) constants.set(node.name.text, node);
    if (ts.isCallExpression(node) && node.expression.getText() === "checked") calls.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return calls.flatMap(({ arguments: [, table, defaults, path] }) => {
    const name = /^Rules<(\w+)>$/.exec(constants.get(table?.getText() ?? "")?.type?.getText() ?? "")?.[1];
    if (name === undefined) return [];
    const prefix = path !== undefined && ts.isStringLiteral(path) ? path.text : "";
    return { name, table: table!.getText(), path: prefix, defaults: partsOf(defaults!, constants) };
  });
}

/** Splits defaults into parts, as one that depends on what was given must not hide the others. */
function partsOf(node: ts.Expression, constants: ReadonlyMap<string, ts.VariableDeclaration>): Call["defaults"] {
  if (ts.isAsExpression(node)) return partsOf(node.expression, constants);
  if (ts.isObjectLiteralExpression(node)) {
    return node.properties.flatMap((property): Call["defaults"] => {
      if (ts.isSpreadAssignment(property)) return partsOf(property.expression, constants);
      return [[property.name!.getText(), `({ ${property.getText()} })`]];
    });
  }
  const local = ts.isIdentifier(node) ? constants.get(node.text) : undefined;
  const isInside = local !== undefined && local.parent.parent.parent.kind !== ts.SyntaxKind.SourceFile;
  return isInside ? partsOf(local.initializer!, constants) : [["", node.getText()]];
}

/** An export for the generator alone, so that no module must open its tables for the sake of their description. */
function exported(calls: readonly Call[]): string {
  const entries = calls.map(({ name, table, path, defaults }) => {
    const parts = defaults.map(([option, expression]) => `[${JSON.stringify(option)}, () => ${expression}]`);
    return `{ name: "${name}", path: "${path}", rules: ${table}, parts: [${parts.join(", ")}] }`;
  });
  return `\nexport const $options = [${entries.join(", ")}];\n`;
}

type Loaded = Pick<Options, "name" | "path" | "rules"> & { parts: [option: string, value: () => object][] };

/** All options that sources check, in the order of the sources: their tables and defaults are those of the running code. */
export async function optionsOf(files: readonly string[], read: Read = readSource): Promise<Options[]> {
  const calls = new Map(
    files.map((file) => [resolve(file), callsIn(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true))]),
  );
  const found = files.filter((file) => calls.get(resolve(file))!.length > 0);
  const entry = found.map((file, i) => `export { $options as file${i} } from ${JSON.stringify(resolve(file))};`);
  // Beside package.json, by which it finds packages.
  mkdirSync(".build", { recursive: true });
  const folder = mkdtempSync(".build/options-");
  const outfile = resolve(join(folder, "options.mjs"));
  await build({
    stdin: { contents: entry.join("\n"), resolveDir: ".", loader: "ts" },
    ...{ bundle: true, format: "esm", platform: "neutral", target: "es2022", outfile, logLevel: "error" },
    external: [
      "#module",
      "#continuous",
      "#int8",
      "node:*",
      "valibot",
      "@valibot/*",
      "commander",
      "hono",
      "node-sqlite3-wasm",
    ],
    plugins: [
      {
        name: "open-tables",
        setup({ onLoad }) {
          onLoad({ filter: /\/(src|test)\/.*\.ts$/ }, ({ path }) => {
            const own = calls.get(path) ?? [];
            const text = found.some((file) => resolve(file) === path) ? read(path) : readFileSync(path, "utf8");
            return { contents: own.length > 0 ? text + exported(own) : text, loader: "ts" };
          });
        },
      },
    ],
  });
  const module = await import(pathToFileURL(outfile).href);
  rmSync(folder, { recursive: true });
  return found.flatMap((file, i) => (module[`file${i}`] as Loaded[]).map((loaded) => resolved(file, loaded)));
}

function resolved(file: string, { name, path, rules, parts }: Loaded): Options {
  const defaults: Record<string, unknown> = {};
  const dependent: string[] = [];
  for (const [option, value] of parts) {
    try {
      Object.assign(defaults, value());
    } catch (error) {
      // What the expression needs are the options that were given.
      if (!(error instanceof ReferenceError) || option === "") throw error;
      dependent.push(option);
    }
  }
  return { name, file, path, rules, defaults, dependent };
}

function defaultOf(options: Options, option: string, field: Field): string {
  const { defaults, dependent, rules } = options;
  if (!dependent.includes(option)) {
    const value = defaults[option];
    if (value !== undefined) return codeFor(option, value);
    if (field.defaultSentence === "") return rules[option]![0](undefined) ? "" : "required";
  }
  return field.defaultSentence.replace(/^Default:? /, "").replace(/\.$/, "");
}

/** Options without a sentence of TSDoc: a line for each. */
function undocumented({ name, file, rules }: Options, shape: Shape | undefined): string[] {
  const bare = Object.keys(rules).filter((option) => (shape?.fields.get(option)?.sentence ?? "") === "");
  return bare.map((option) => `${file}: "${option}" of ${name} needs a sentence of TSDoc`);
}

/**
 * Options as a table of Markdown: name, meaning, range and default.
 * @throws Error that names the options without TSDoc.
 */
export function optionsTable(options: Options, interfaces: Interfaces, all: readonly Options[] = []): string {
  const shape = interfaces.shapeOf(options.name, options.file);
  const bare = undocumented(options, shape);
  if (bare.length > 0) throw new Error(bare.join("\n"));
  const rows = Object.entries(options.rules).map(([option, [, must]]) => {
    const field = shape!.fields.get(option)!;
    // A rule without words leaves an inherited option to the table that it comes from.
    const range = must !== "" ? must : (all.find(({ name }) => name === field.owner)?.rules[option]?.[1] ?? "");
    const sentence = range === "" ? field.sentence : withoutRange(field.sentence);
    return [`\`${options.path}${option}\``, sentence, range, defaultOf(options, option, field)];
  });
  return tableOf(["Option", "Meaning", "Must be", "Default"], rows);
}

/** Tables of options, each with its heading. @throws Error that names the options without TSDoc. */
export function optionsBlock(all: readonly Options[], interfaces: Interfaces): string {
  const bare = all.flatMap((options) => undocumented(options, interfaces.shapeOf(options.name, options.file)));
  if (bare.length > 0) throw new Error(bare.join("\n"));
  const sections = all.map((options) => {
    const sentence = cell(interfaces.shapeOf(options.name, options.file)?.sentence ?? "");
    const table = optionsTable(options, interfaces, all);
    return [`### \`${options.name}\``, sentence, table].filter((part) => part !== "").join("\n\n");
  });
  return sections.join("\n\n");
}

/** Units that a sentence may give a default in, by their first letters. */
const UNITS = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  KiB: 1024,
  MiB: 1 << 20,
};
const NUMBER = String.raw`-?\d[\d ]*(?:\.\d+)?(?:e-?\d+)?|\.\d+`;
const STATED = new RegExp(
  `^Default:? \`?(true|false|${NUMBER})\`?(?: (ms|s|min|h|day|week|KiB|MiB)[a-z]*\\b)?(?![\\w^])`,
);

/** Defaults that TSDoc states otherwise than the code: a line for each. */
export function wrongDefaults(all: readonly Options[], interfaces: Interfaces): string[] {
  return all.flatMap(({ name, file, defaults }) => {
    const fields = interfaces.shapeOf(name, file)?.fields;
    return Object.entries(defaults).flatMap(([option, value]) => {
      const [, text, unit] = STATED.exec(fields?.get(option)?.defaultSentence ?? "") ?? [];
      if (text === undefined) return [];
      const factor = UNITS[(unit ?? "ms") as keyof typeof UNITS];
      const stated = /^[tf]/.test(text) ? text === "true" : Number(text.replaceAll(" ", "")) * factor;
      return stated === value || Array.isArray(value) ? [] : `${name}.${option}: ${stated}, but ${value}`;
    });
  });
}
