import { type JsonSchema, jsonSchemas } from "../../protocol/index.js";
import type { Scope } from "./auth.js";

/** A route of the server. */
export interface Route {
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With names in braces, as OpenAPI writes them. */
  readonly path: string;
  /** What a token needs; undefined: anybody may ask. */
  readonly scope?: Scope;
  readonly summary: string;
  /** The schema of the body, by its name. */
  readonly body?: string;
  /** Statuses beside 200, 401, 403 and 503. */
  readonly statuses?: readonly number[];
}

const BAD = [400, 408, 413, 415];

/** All routes, in the order in which the document lists them. */
export const ROUTES: readonly Route[] = [
  {
    name: "recommend",
    method: "POST",
    path: "/v1/recommend",
    scope: "recommend",
    summary: "Choose a slate for a user.",
    body: "request",
    statuses: BAD,
  },
  {
    name: "recommendBatch",
    method: "POST",
    path: "/v1/recommend/batch",
    scope: "recommend",
    summary: "Choose slates for several users.",
    body: "requests",
    statuses: BAD,
  },
  {
    name: "events",
    method: "POST",
    path: "/v1/events",
    scope: "events",
    summary: "Take events; each is answered once it is on disk.",
    body: "events",
    statuses: [...BAD, 422, 507],
  },
  {
    name: "onAir",
    method: "PUT",
    path: "/v1/streams/{stream}",
    scope: "events",
    summary: "A stream goes on air.",
    body: "stream",
    statuses: [...BAD, 507],
  },
  {
    name: "update",
    method: "PATCH",
    path: "/v1/streams/{stream}",
    scope: "events",
    summary: "A stream on air changes.",
    body: "stream",
    statuses: [...BAD, 507],
  },
  {
    name: "offAir",
    method: "DELETE",
    path: "/v1/streams/{stream}",
    scope: "events",
    summary: "A stream goes off air.",
    statuses: [400, 507],
  },
  {
    name: "user",
    method: "GET",
    path: "/v1/users/{user}",
    scope: "read",
    summary: "All that is known of a user.",
    statuses: [404],
  },
  {
    name: "forget",
    method: "DELETE",
    path: "/v1/users/{user}",
    scope: "admin",
    summary: "Forget a user.",
    statuses: [507],
  },
  {
    name: "models",
    method: "GET",
    path: "/v1/models",
    scope: "read",
    summary: "The models that one can go back to, and which one answers.",
  },
  {
    name: "rollback",
    method: "POST",
    path: "/v1/models/rollback",
    scope: "admin",
    summary: "Go back to an earlier model, and stay there.",
    body: "version",
    statuses: BAD,
  },
  {
    name: "release",
    method: "POST",
    path: "/v1/models/release",
    scope: "admin",
    summary: "Let the newest model go live again.",
  },
  {
    name: "stats",
    method: "GET",
    path: "/v1/stats",
    scope: "read",
    summary: "Counts of the server and its recommender.",
  },
  { name: "live", method: "GET", path: "/live", summary: "Whether the process answers." },
  { name: "ready", method: "GET", path: "/ready", summary: "Whether requests may be sent here." },
  { name: "metrics", method: "GET", path: "/metrics", scope: "read", summary: "Figures for Prometheus." },
  { name: "openapi", method: "GET", path: "/openapi.json", summary: "This document." },
  { name: "schemas", method: "GET", path: "/schemas.json", summary: "JSON Schema of events, requests and decisions." },
];

const MEANS: Readonly<Record<number, string>> = {
  200: "Done.",
  400: "The body is wrong; nothing has changed.",
  401: "A token is needed.",
  403: "The token may not do this.",
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
