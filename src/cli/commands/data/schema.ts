import { jsonSchemas } from "../../../protocol/index.js";
import { STANDARD, writeJson } from "../../writing/output.js";

const ONE = { events: "event", requests: "request", decisions: "decision" } as const;

export type SchemaName = keyof typeof ONE;

/** The schemas that `liveq schema` can print alone. */
export const SCHEMA_NAMES = Object.keys(ONE) as SchemaName[];

/** Prints the JSON Schema of an event, a request or a decision; without a name of all three, under `$defs`. */
export async function printSchema(name: SchemaName | undefined): Promise<void> {
  const schemas = await jsonSchemas();
  if (name !== undefined) return writeJson(STANDARD, schemas[ONE[name]]);
  const { $schema } = schemas.event;
  const defs = Object.entries(schemas).map(([each, { $schema: _, ...schema }]) => [each, schema]);
  writeJson(STANDARD, { $schema, $defs: Object.fromEntries(defs) });
}
