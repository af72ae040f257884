import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** Reads a source by its path; a test may give another text for one. */
export type Read = (file: string) => string;

export const readSource: Read = (file) => readFileSync(file, "utf8");

/** The sources of a folder and of those in it. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name))
    .sort();
}

/** A field of an interface, as its TSDoc describes it. */
export interface Field {
  /** The first sentence; empty where there is none. */
  readonly sentence: string;
  /** The sentence that names the default; empty where there is none. */
  readonly defaultSentence: string;
  /** The interface that declares the field. */
  readonly owner: string;
  /** Its type, and the fields of an object whose type has no name. */
  readonly type: string;
  readonly inner: ReadonlyMap<string, Field> | undefined;
}

/** An interface, or a type of an object: its first sentence, its fields, and the kinds of events that it holds. */
export interface Shape {
  readonly sentence: string;
  readonly fields: ReadonlyMap<string, Field>;
  readonly kinds: readonly string[];
}

type Declared =
  | ts.InterfaceDeclaration
  | (ts.TypeAliasDeclaration & { type: ts.TypeLiteralNode | ts.TypeReferenceNode });

/** What TSDoc says about the interfaces of some sources. */
export class Interfaces {
  readonly #declared = new Map<string, Declared[]>();

  constructor(files: readonly string[], read: Read = readSource) {
    for (const file of files) {
      const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
      for (const statement of source.statements) {
        if (!isDeclared(statement)) continue;
        const name = statement.name.text;
        this.#declared.set(name, [...(this.#declared.get(name) ?? []), statement]);
      }
    }
  }

  /** The names that a file declares, in its order. */
  namesIn(file: string): string[] {
    return [...this.#declared].filter(([, all]) => all.some((each) => fileOf(each) === file)).map(([name]) => name);
  }

  /** An interface by its name: of two, that of the same file, else of the room of that file. */
  shapeOf(name: string, near: string): Shape | undefined {
    const all = this.#declared.get(name) ?? [];
    const room = near.split("/").slice(0, 2).join("/");
    const node =
      all.find((each) => fileOf(each) === near) ?? all.find((each) => fileOf(each).startsWith(`${room}/`)) ?? all[0];
    return node && this.#shape(node);
  }

  #shape(node: Declared): Shape {
    const fields = new Map<string, Field>();
    for (const name of inheritedBy(node)) {
      for (const [field, known] of this.shapeOf(name, fileOf(node))?.fields ?? []) fields.set(field, known);
    }
    const own = fieldsOf(membersOf(node), node.name.text);
    for (const [name, field] of own) fields.set(name, field);
    const kinds = [...(own.get("kind")?.type ?? "").matchAll(/"(\w+)"/g)].map(([, kind]) => kind!);
    return { sentence: sentencesOf(node).sentence, fields, kinds };
  }
}

function fieldsOf(members: readonly ts.TypeElement[], owner: string): Map<string, Field> {
  return new Map(
    members.flatMap((member): [string, Field][] => {
      if (member.name === undefined) return [];
      const type = (member as ts.PropertySignature).type;
      const inner = type && ts.isTypeLiteralNode(type) ? fieldsOf([...type.members], owner) : undefined;
      const { sentence, defaultSentence } = sentencesOf(member);
      // A field of one value says itself what it is.
      const one = /^"(\w+)"$/.exec(type?.getText() ?? "")?.[1];
      const described = sentence === "" && one !== undefined ? `Always \`${one}\`.` : sentence;
      return [
        [
          member.name.getText().replace(/^"|"$/g, ""),
          { sentence: described, defaultSentence, owner, type: type?.getText() ?? "", inner },
        ],
      ];
    }),
  );
}

function isDeclared(node: ts.Node): node is Declared {
  if (ts.isInterfaceDeclaration(node)) return true;
  return ts.isTypeAliasDeclaration(node) && (ts.isTypeLiteralNode(node.type) || ts.isTypeReferenceNode(node.type));
}

function membersOf(node: Declared): readonly ts.TypeElement[] {
  if (ts.isInterfaceDeclaration(node)) return node.members;
  return ts.isTypeLiteralNode(node.type) ? node.type.members : [];
}

/** The interfaces whose fields one has: `Pick<Other, "a">` too has those of Other. */
function inheritedBy(node: Declared): string[] {
  const types = ts.isInterfaceDeclaration(node)
    ? (node.heritageClauses ?? []).flatMap((clause) => clause.types.map((type) => [type.expression, type] as const))
    : ts.isTypeReferenceNode(node.type)
      ? [[node.type.typeName, node.type] as const]
      : [];
  return types.flatMap(([name, type]) => [name, ...(type.typeArguments ?? [])].map((each) => each.getText()));
}

function fileOf(node: ts.Node): string {
  return node.getSourceFile().fileName;
}

/** The first sentence of a node's TSDoc, and the one that names its default; empty where there is none. */
function sentencesOf(node: ts.Node): { sentence: string; defaultSentence: string } {
  const comment = ts.getJSDocCommentsAndTags(node).find((each) => ts.isJSDoc(each))?.comment;
  const text = (typeof comment === "string" ? comment : ts.getTextOfJSDocComment(comment)) ?? "";
  const paragraphs = text.split(/\n\s*\n/).map((each) => each.replace(/\s+/g, " ").trim());
  const sentences = paragraphs.flatMap((paragraph) => paragraph.split(/(?<=\.)\s+(?=[A-Z`[])/));
  const isDefault = (sentence: string) => /^Default\b/.test(sentence);
  return {
    sentence: sentences.find((each) => each !== "" && !isDefault(each)) ?? "",
    defaultSentence: sentences.find(isDefault) ?? "",
  };
}
