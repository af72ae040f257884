import { KINDS, mustOf, SCHEMAS } from "../../src/protocol/schema.js";
import { tableOf, withoutRange } from "./markdown.js";
import { Interfaces, type Shape, sourcesIn } from "./sources.js";

/** A field's schema, as far as it is looked at here. */
interface Schema {
  readonly type: string;
  readonly wrapped?: Schema;
  readonly entries?: Entries;
}

type Entries = Readonly<Record<string, Schema>>;

/** The schema of an event: one for each kind, or for several alike. */
interface Kinds {
  readonly options: readonly {
    readonly entries: Entries & { kind: { readonly options: readonly string[] } | { readonly literal: string } };
  }[];
}

const EVENTS = "src/protocol/events.ts";
const POLICY = "src/protocol/policy.ts";
const protocol = () => new Interfaces(sourcesIn("src/protocol"));

const isRequired = ({ type }: Schema) => type !== "optional";

function named(fields: readonly string[]): string {
  return fields.map((field) => `\`${field}\``).join(", ");
}

function sentenceFor(field: string, shape: Shape | undefined): string {
  const sentence = shape?.fields.get(field)?.sentence ?? "";
  if (sentence === "") throw new Error(`src/protocol: "${field}" needs a sentence of TSDoc`);
  return withoutRange(sentence);
}

/** Every kind of event with its fields, then every field with what it is and must be. */
export function eventsBlock(): string {
  const interfaces = protocol();
  const shapes = interfaces.namesIn(EVENTS).flatMap((name) => interfaces.shapeOf(name, EVENTS) ?? []);
  const fields = new Map<string, { row: string[]; kinds: string[] }>();
  const kinds = (SCHEMAS.event as unknown as Kinds).options.map(({ entries }) => {
    const own: readonly string[] = "options" in entries.kind ? entries.kind.options : [entries.kind.literal];
    const shape = shapes.find((each) => each.kinds.includes(own[0]!));
    const { kind: _, ...schemas } = entries as Entries;
    for (const [field, sentence, must] of rowsOf(schemas, shape, interfaces)) {
      // The same field of other kinds may have another range.
      const key = `${field} ${must}`;
      const known = fields.get(key) ?? { row: [field!, sentence!, must!], kinds: [] };
      fields.set(key, { ...known, kinds: [...known.kinds, ...own] });
    }
    const some = (wanted: boolean) => Object.keys(schemas).filter((field) => isRequired(schemas[field]!) === wanted);
    return [named(own), shape?.sentence ?? "", named(some(true)), named(some(false))];
  });
  const rows = [...fields.values()].map(({ row, kinds: all }) => [
    ...row,
    all.length === KINDS.length ? "all" : named(all),
  ]);
  return [
    tableOf(["Kind", "Meaning", "Required", "Optional"], kinds),
    tableOf(["Field", "Meaning", "Must be", "Kinds"], rows),
  ].join("\n\n");
}

/** The shape of an object in a field: of a type without a name, or of an interface. */
function innerOf(field: string, shape: Shape | undefined, interfaces: Interfaces): Shape | undefined {
  const { inner, type } = shape!.fields.get(field)!;
  return inner === undefined ? interfaces.shapeOf(type, POLICY) : { sentence: "", fields: inner, kinds: [] };
}

function rowsOf(entries: Entries, shape: Shape | undefined, interfaces: Interfaces, path = ""): string[][] {
  return Object.entries(entries).flatMap(([field, schema]) => {
    const row = [
      `\`${path}${field}\``,
      sentenceFor(field, shape),
      mustOf(field, shape?.kinds[0]),
      isRequired(schema) ? "yes" : "no",
    ];
    const inner = schema.wrapped?.entries;
    if (inner === undefined) return [row];
    return [row, ...rowsOf(inner, innerOf(field, shape, interfaces), interfaces, `${path}${field}.`)];
  });
}

function fieldsBlock(entries: Entries, name: string): string {
  const interfaces = protocol();
  const rows = rowsOf(entries, interfaces.shapeOf(name, POLICY), interfaces);
  return tableOf(["Field", "Meaning", "Must be", "Required"], rows);
}

const entriesOf = (schema: unknown) => (schema as { readonly entries: Entries }).entries;
export const requestsBlock = () => fieldsBlock(entriesOf(SCHEMAS.request), "Request");
export const decisionsBlock = () => fieldsBlock(entriesOf(SCHEMAS.decision), "Decision");
