import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** A public entry of the package: its name without `liveq/`, and its source. */
export interface Door {
  readonly name: string;
  readonly file: string;
}

/** A name behind a door: its declaration without comments and private members, and the place that declares it. */
export interface Name {
  readonly text: string;
  readonly place: string;
}

/** The surface of a door: names that it exports, and names that their signatures mention and no door exports. */
export interface Surface {
  readonly exported: ReadonlyMap<string, Name>;
  readonly mentioned: ReadonlyMap<string, Name>;
}

/** The doors of package.json: its entries with types. */
export function doorsOf(packageJson: string): Door[] {
  const { exports } = JSON.parse(packageJson) as { exports: Record<string, { types?: string }> };
  return Object.entries(exports).flatMap(([entry, { types }]) =>
    types === undefined
      ? []
      : { name: entry === "." ? "liveq" : entry.slice(2), file: sourceOf(types.replace(/^\.\/dist\/types\//, "")) },
  );
}

function sourceOf(declarations: string): string {
  return declarations.replace(/\.d\.ts$/, ".ts");
}

/** Declarations of the sources that the doors reach, by path of the source, as they ship, without comments. */
export function declarationsOf(doors: readonly Door[]): Map<string, string> {
  const { config } = ts.readConfigFile("src/tsconfig.json", ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, "src");
  const files = [...doors.map(({ file }) => file), "src/engine/instance/wasm.d.ts"];
  const program = ts.createProgram(files, { ...options, removeComments: true });
  const out = options.outDir!;
  const found = new Map<string, string>();
  program.emit(undefined, (file, text) => found.set(sourceOf(relative(out, file)), text), undefined, true);
  return found;
}

const HIDDEN = ts.ModifierFlags.Private;
const printer = ts.createPrinter({ removeComments: true });

/** Follows names through emitted declarations. */
class Reader {
  readonly #files = new Map<string, ts.SourceFile>();

  constructor(readonly declarations: ReadonlyMap<string, string>) {}

  parsed(file: string): ts.SourceFile {
    let parsed = this.#files.get(file);
    if (parsed === undefined) {
      parsed = ts.createSourceFile(file, this.declarations.get(file)!, ts.ScriptTarget.Latest, true);
      this.#files.set(file, parsed);
    }
    return parsed;
  }

  /** The names that a door exports. @throws Error at `export *`. */
  exportsOf(door: string): string[] {
    return this.parsed(door).statements.flatMap((statement) => {
      if (ts.isExportDeclaration(statement)) {
        if (statement.exportClause && ts.isNamedExports(statement.exportClause)) {
          return statement.exportClause.elements.map(({ name }) => name.text);
        }
        throw new Error(`${door}: must list what it exports, got ${statement.getText()}`);
      }
      return isExported(statement) ? namesOf(statement) : [];
    });
  }

  /** The file that declares what `name` stands for in `file`, and its name there; nothing of globals and packages. */
  declaring(file: string, name: string): { file: string; name: string } | undefined {
    if (!this.declarations.has(file)) return undefined;
    for (const statement of this.parsed(file).statements) {
      if (namesOf(statement).includes(name)) return { file, name };
      const imported = specifiersOf(statement).find((specifier) => specifier.name.text === name);
      if (imported === undefined) continue;
      const from = (statement as ts.ImportDeclaration | ts.ExportDeclaration).moduleSpecifier;
      const original = (imported.propertyName ?? imported.name).text;
      if (from !== undefined) return this.declaring(moduleOf(file, from), original);
      if (original !== name) return this.declaring(file, original);
    }
    return undefined;
  }

  /** What declares `name` in `file`, as text. */
  textOf(file: string, name: string): string {
    return this.#declarations(file, name)
      .map((node) => textOf(shown(node), this.parsed(file)))
      .join("\n");
  }

  /** Where the names are declared that the declaration of `name` mentions. */
  mentionedBy(file: string, name: string): { file: string; name: string }[] {
    const found: { file: string; name: string }[] = [];
    const visit = (node: ts.Node): void => {
      const target = this.#target(file, node);
      if (target !== undefined) found.push(target);
      ts.forEachChild(node, visit);
    };
    for (const node of this.#declarations(file, name)) visit(shown(node));
    return found;
  }

  #target(file: string, node: ts.Node): { file: string; name: string } | undefined {
    if (ts.isImportTypeNode(node) && node.qualifier && ts.isIdentifier(node.qualifier)) {
      const { literal } = node.argument as ts.LiteralTypeNode;
      return this.declaring(moduleOf(file, literal as ts.Expression), node.qualifier.text);
    }
    const named = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isTypeQueryNode(node)
        ? node.exprName
        : ts.isExpressionWithTypeArguments(node)
          ? node.expression
          : undefined;
    const first = named && ts.isQualifiedName(named) ? named.left : named;
    return first && ts.isIdentifier(first) ? this.declaring(file, first.text) : undefined;
  }

  #declarations(file: string, name: string): ts.Node[] {
    return this.parsed(file).statements.flatMap((statement): ts.Node[] => {
      if (!namesOf(statement).includes(name)) return [];
      if (!ts.isVariableStatement(statement)) return [statement];
      return statement.declarationList.declarations.filter((each) => each.name.getText() === name);
    });
  }
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

/** The names that a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  const name = (statement as Partial<ts.DeclarationStatement>).name;
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}

function specifiersOf(statement: ts.Statement): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  if (ts.isExportDeclaration(statement)) {
    return statement.exportClause && ts.isNamedExports(statement.exportClause) ? statement.exportClause.elements : [];
  }
  const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
  return bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
}

function moduleOf(file: string, specifier: ts.Expression): string {
  return join(dirname(file), (specifier as ts.StringLiteral).text).replace(/\.js$/, ".ts");
}

/** A declaration without its private members, the others in order of their names. */
function shown(node: ts.Node): ts.Node {
  const { factory } = ts;
  if (ts.isInterfaceDeclaration(node)) {
    const { modifiers, name, typeParameters, heritageClauses, members } = node;
    return factory.updateInterfaceDeclaration(
      node,
      modifiers,
      name,
      typeParameters,
      heritageClauses,
      sorted([...members]),
    );
  }
  if (!ts.isClassDeclaration(node)) return node;
  const { modifiers, name, typeParameters, heritageClauses, members } = node;
  const isShown = (member: ts.ClassElement) =>
    !(member.name && ts.isPrivateIdentifier(member.name)) && (ts.getCombinedModifierFlags(member) & HIDDEN) === 0;
  const open = sorted(members.filter(isShown));
  return factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, open);
}

function sorted<T extends ts.ClassElement | ts.TypeElement>(members: T[]): T[] {
  // The constructor and other members without a name come first; overloads stay in their order, which matters.
  const keyOf = (member: T) => member.name?.getText() ?? "";
  return members.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

function textOf(node: ts.Node, file: ts.SourceFile): string {
  const text = printer.printNode(ts.EmitHint.Unspecified, node, file);
  const word = ts.isVariableDeclaration(node) ? "const " : "";
  return word + text.replace(/^export /, "").replace(/^declare /, "");
}

const byName = <T>([a]: [string, T], [b]: [string, T]) => (a < b ? -1 : 1);

/** The surface of each door by its name. @throws Error at `export *`. */
export function surfacesOf(
  doors: readonly Door[],
  declarations: ReadonlyMap<string, string> = declarationsOf(doors),
): Map<string, Surface> {
  const reader = new Reader(declarations);
  const placed = ({ file, name }: { file: string; name: string }): Name => ({
    text: reader.textOf(file, name),
    place: `${file} ${name}`,
  });
  const exports = doors.map(({ name, file }) => {
    const found = reader.exportsOf(file).map((each) => [each, reader.declaring(file, each)!] as const);
    return { name, found };
  });
  const open = new Set(exports.flatMap(({ found }) => found.map(([, { file, name }]) => `${file} ${name}`)));
  return new Map(
    exports.map(({ name, found }) => {
      const exported = new Map(found.map(([each, at]): [string, Name] => [each, placed(at)]).sort(byName));
      const mentioned = new Map<string, Name>();
      const seen = new Set(open);
      const queue = found.map(([, at]) => at);
      for (const at of queue) {
        for (const target of reader.mentionedBy(at.file, at.name)) {
          const place = `${target.file} ${target.name}`;
          if (seen.has(place)) continue;
          seen.add(place);
          // Two rooms may give one name to two things.
          const key = mentioned.has(target.name) ? `${target.name} of ${target.file}` : target.name;
          mentioned.set(key, placed(target));
          queue.push(target);
        }
      }
      return [name, { exported, mentioned: new Map([...mentioned].sort(byName)) }];
    }),
  );
}

const MENTIONED = "# Mentioned, not exported";

/** The report of a door as it is committed. */
export function reportOf(door: string, { exported, mentioned }: Surface): string {
  const section = (names: ReadonlyMap<string, Name>) =>
    [...names].map(([name, { text }]) => `\n## ${name}\n${text}\n`).join("");
  const title = `# ${door === "liveq" ? door : `liveq/${door}`}: ${exported.size} names\n`;
  return title + section(exported) + (mentioned.size > 0 ? `\n${MENTIONED}\n${section(mentioned)}` : "");
}

function entriesOf(report: string): Map<string, string> {
  const entries = report.split(/^## /m).slice(1);
  return new Map(
    entries.map((entry) => {
      const end = entry.indexOf("\n");
      return [entry.slice(0, end), entry.slice(end).replace(`\n${MENTIONED}\n`, "").trim()];
    }),
  );
}

/** How a report differs from the committed one: a line for each name that was added, removed or changed. */
export function differences(committed: string, now: string): string[] {
  const [before, after] = [entriesOf(committed), entriesOf(now)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const found = names.flatMap((name) => {
    if (!before.has(name)) return `added: ${name}`;
    if (!after.has(name)) return `removed: ${name}`;
    return before.get(name) === after.get(name) ? [] : `changed: ${name}`;
  });
  return found.length === 0 && committed !== now ? ["changed: the order or the count of names"] : found;
}

/** Names that two doors export for two different things, with the places of both. */
export function collisions(surfaces: ReadonlyMap<string, Surface>): string[] {
  const first = new Map<string, string>();
  const found: string[] = [];
  for (const [door, { exported }] of surfaces) {
    for (const [name, { place }] of exported) {
      const at = `${door} (${place})`;
      const known = first.get(name);
      if (known === undefined) first.set(name, at);
      else if (!known.endsWith(`(${place})`)) found.push(`${name}: ${known}, ${at}`);
    }
  }
  return found;
}

/** The file of a door's committed report. */
export function reportFile(door: string): string {
  return `test/doors/${door}.txt`;
}

export const DOORS = doorsOf(readFileSync("package.json", "utf8"));
