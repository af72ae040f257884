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
  409: "The event is in another state, or another request came under its id.",
  413: "The body is too large.",
  415: "The content type or encoding is not read.",
  422: "Another body came under this key or id.",
  429: "Too many requests of this client: try again after `retry-after` seconds.",
  503: "Too much waits: try again after `retry-after` seconds.",
  507: "No space is left on the disk; slates are still answered.",
};

const POLICY = {
  oneOf: [{ enum: ["newest", "popular"] }, { type: "object", properties: { model: { type: "integer" } } }],
};
const FEATURES = {
  description: "An object, or an array of objects: texts, numbers, true, false; arrays and objects of them.",
};
const EXPLORE = {
  type: "object",
  properties: {
    epsilon: { type: "number", minimum: 0, maximum: 1 },
    temperature: { type: "number", exclusiveMinimum: 0 },
    top: { type: "integer", minimum: 1 },
  },
  additionalProperties: false,
};
const EPSILON = { type: "number", minimum: 0, maximum: 1 };

const IDEMPOTENCY_KEY = {
  name: "idempotency-key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 200, pattern: "^[!-~]+$" },
  description:
    "The same request again gets the same answer, of the latest 4096; another one under the same key gets 422. Later, and over " +
    "restarts, events, streams and rankings of before are duplicates, under ids made of the key; other calls are done again.",
};
/** Calls that a key changes nothing of: they show, or may be sent again. */
const KEYLESS = ["forget", "preview", "connect"];

/** Bodies of ranking and of experiments. */
const RANK_BODIES: Record<string, JsonSchema> = {
  rank: {
    type: "object",
    properties: {
      eventId: { type: "string", minLength: 1, maxLength: 256, description: "Default: the server gives one." },
      context: FEATURES,
      contextFeatures: FEATURES,
      actions: {
        type: "array",
        minItems: 1,
        maxItems: 200,
        items: { type: "object", properties: { id: { type: "string" }, features: FEATURES }, required: ["id"] },
      },
      excludedActions: { type: "array", items: { type: "string" } },
      deferActivation: { type: "boolean", default: false },
      exploration: {
        oneOf: [
          { type: "object", properties: { policy: { const: "epsilon" }, epsilon: EPSILON } },
          { type: "object", properties: { policy: { const: "boltzmann" }, temperature: { type: "number" } } },
          {
            type: "object",
            properties: { policy: { const: "top" }, m: { type: "integer", minimum: 1 }, epsilon: EPSILON },
          },
        ],
      },
    },
    required: ["actions"],
  },
  reward: {
    type: "object",
    properties: { value: { type: "number", minimum: -1000, maximum: 1000 } },
    required: ["value"],
  },
  experiment: {
    type: "object",
    properties: {
      name: { type: "string", description: "Another name assigns the users anew." },
      a: { ...POLICY, default: "newest" },
      b: POLICY,
      share: { type: "number", description: "Of the users in arm b.", default: 0.5 },
      metric: { enum: ["watch", "clicks"], default: "watch" },
      windowMs: {
        type: "number",
        description: "Since a user's first decision, in which events count.",
        default: 259_200_000,
      },
    },
    required: ["name", "b"],
  },
  candidate: {
    type: "object",
    properties: { model: { oneOf: [{ const: "newest" }, { type: "integer" }] } },
    required: ["model"],
  },
};

/** The OpenAPI document (3.1) of the server. */
export async function openApi(): Promise<JsonSchema> {
  const { event: events, request: requests } = await jsonSchemas();
  const { $schema: _, ...event } = events;
  const { $schema: __, ...asked } = requests;
  const { now: ___, ...properties } = (asked as { properties: Record<string, unknown> }).properties;
  const required = ((asked as { required?: string[] }).required ?? []).filter((name) => name !== "now");
  const request = { ...asked, properties: { ...properties, explore: EXPLORE }, required };
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
    ...RANK_BODIES,
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

function operation(
  { name, method, path, scope, summary, body, statuses = [] }: Route,
  bodies: Record<string, JsonSchema>,
) {
  const all = [200, ...statuses, ...(scope === undefined ? [] : [401, 403, 429]), 503].sort((a, b) => a - b);
  const ofPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, parameter]) => {
    return { name: parameter, in: "path", required: true, schema: { type: "string" } };
  });
  const parameters = method === "GET" || KEYLESS.includes(name) ? ofPath : [...ofPath, IDEMPOTENCY_KEY];
  return {
    operationId: name,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(scope !== undefined && { security: [{ token: [] }], description: `Needs a token with the scope "${scope}".` }),
    ...(body !== undefined && { requestBody: { content: { "application/json": { schema: bodies[body] } } } }),
    responses: Object.fromEntries(all.map((status) => [status, { description: MEANS[status] }])),
  };
}
