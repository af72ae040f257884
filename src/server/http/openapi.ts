import { type JsonSchema, jsonSchemas } from "../../protocol/index.js";
import { ROUTES, type Route } from "./table.js";

const MEANS: Readonly<Record<number, string>> = {
  200: "Done.",
  204: "Taken; there is nothing to say.",
  400: "The body is wrong; nothing has changed.",
  401: "A token is needed.",
  403: "The token may not do this, or the signature is not right.",
  404: "Not known.",
  408: "The body took too long.",
  413: "The body is too large.",
  415: "The content type or encoding is not read.",
  422: "Another body came under this key or id.",
  503: "Too much waits: try again after `retry-after` seconds.",
  507: "No space is left on the disk; slates are still answered.",
};

/** The OpenAPI document (3.1) of the server. */
export async function openApi(): Promise<JsonSchema> {
  const { event: events, request: requests } = await jsonSchemas();
  const { $schema: _, ...event } = events;
  const { $schema: __, ...asked } = requests;
  const { now: ___, ...properties } = (asked as { properties: Record<string, unknown> }).properties;
  const required = ((asked as { required?: string[] }).required ?? []).filter((name) => name !== "now");
  const request = { ...asked, properties, required };
  const bodies: Record<string, JsonSchema> = {
    request,
    requests: { type: "object", properties: { requests: { type: "array", items: request } }, required: ["requests"] },
    events: {
      oneOf: [{ $ref: "#/components/schemas/event" }, { type: "array", items: { $ref: "#/components/schemas/event" } }],
    },
    stream: {
      type: "object",
      description: "The fields of the event but kind and stream; time is the server's by default.",
    },
    version: { type: "object", properties: { version: { type: "integer" } } },
    webhook: { type: "object", description: "As the platform sends it." },
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, bodies) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "LiveQ", version: "1", description: "A live-stream recommender that learns from each event." },
    paths,
    components: {
      schemas: { event },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation({ name, path, scope, summary, body, statuses = [] }: Route, bodies: Record<string, JsonSchema>) {
  const all = [200, ...statuses, ...(scope === undefined ? [] : [401, 403]), 503].sort((a, b) => a - b);
  const parameters = Array.from(path.matchAll(/\{(\w+)\}/g), ([, parameter]) => {
    return { name: parameter, in: "path", required: true, schema: { type: "string" } };
  });
  return {
    operationId: name,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(scope !== undefined && { security: [{ token: [] }], description: `Needs a token with the scope "${scope}".` }),
    ...(body !== undefined && { requestBody: { content: { "application/json": { schema: bodies[body] } } } }),
    responses: Object.fromEntries(all.map((status) => [status, { description: MEANS[status] }])),
  };
}
