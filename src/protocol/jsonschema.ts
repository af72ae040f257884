import { mustOf, SCHEMAS, unique } from "./schema.js";

/** A JSON Schema, or a part of one. */
export type JsonSchema = { [key: string]: unknown };

/**
 * JSON Schema (draft 2020-12) of an event, a request and a decision, made from the checks of `parseEvent`,
 * `parseRequest` and `parseDecision`. Two conditions differ: the parsers count lengths in UTF-16 units, JSON Schema in
 * characters; and only the parsers check that a decision's lists are as long as its slate, which the schema merely
 * describes.
 *
 * @throws Error where a check of the schemas has no counterpart in JSON Schema.
 */
export async function jsonSchemas(): Promise<Record<"event" | "request" | "decision", JsonSchema>> {
  // Loaded here, so that other programs do not pay for it.
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  const converted = Object.entries(SCHEMAS).map(([name, schema]) => {
    const json = toJsonSchema(schema, {
      target: "draft-2020-12",
      // JSON has finite numbers only.
      ignoreActions: ["finite"],
      overrideAction: ({ valibotAction, jsonSchema }) =>
        valibotAction === (unique as unknown) ? { ...jsonSchema, uniqueItems: true } : undefined,
    });
    return [name, described(json as JsonSchema)];
  });
  return Object.fromEntries(converted);
}

/** The schema with a description of each field: the requirement in its error message. */
function described(schema: JsonSchema): JsonSchema {
  const { $schema, oneOf, properties, items, ...rest } = schema;
  const result: JsonSchema = $schema === undefined ? rest : { $schema, ...rest };
  if (oneOf !== undefined) result.oneOf = (oneOf as JsonSchema[]).map(described);
  if (items !== undefined) result.items = described(items as JsonSchema);
  if (properties === undefined) return result;
  const fields = Object.entries(properties as Record<string, JsonSchema>);
  const kind = (properties as { kind?: JsonSchema }).kind?.const;
  result.properties = Object.fromEntries(
    fields.map(([field, value]) => [
      field,
      field === "kind" ? value : { description: mustOf(field, kind), ...described(value) },
    ]),
  );
  return result;
}
