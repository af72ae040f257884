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
  /** Statuses beside 200, 401, 403, 429 and 503. */
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
    name: "similar",
    method: "GET",
    path: "/v1/streams/{stream}/similar",
    scope: "recommend",
    summary: "Streams like one on air: ?k=10.",
    statuses: [400, 404],
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
    name: "exportUser",
    method: "GET",
    path: "/v1/users/{user}/export",
    scope: "read",
    summary: "All that is held of a user: profile, waiting decisions, log.",
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
    name: "experiment",
    method: "GET",
    path: "/v1/experiment",
    scope: "read",
    summary: "The A/B test and its results so far.",
    statuses: [404],
  },
  {
    name: "startExperiment",
    method: "POST",
    path: "/v1/experiment",
    scope: "admin",
    summary: "Start an A/B test of two policies over the users, in place of the one before.",
    body: "experiment",
    statuses: [...BAD, 507],
  },
  {
    name: "stopExperiment",
    method: "DELETE",
    path: "/v1/experiment",
    scope: "admin",
    summary: "End the A/B test, with its last results.",
    statuses: [404, 507],
  },
  {
    name: "shadow",
    method: "GET",
    path: "/v1/shadow",
    scope: "read",
    summary: "How far a candidate agrees with the model that answers.",
    statuses: [404],
  },
  {
    name: "startShadow",
    method: "POST",
    path: "/v1/shadow",
    scope: "admin",
    summary: "Let a model score the same requests, without being shown.",
    body: "candidate",
    statuses: BAD,
  },
  {
    name: "stopShadow",
    method: "DELETE",
    path: "/v1/shadow",
    scope: "admin",
    summary: "End that, with the last counts.",
    statuses: [404],
  },
  {
    name: "rank",
    method: "POST",
    path: "/v1/rank",
    scope: "recommend",
    summary: "Choose one of the caller's actions in a context.",
    body: "rank",
    statuses: [...BAD, 409],
  },
  {
    name: "rankReport",
    method: "GET",
    path: "/v1/rank",
    scope: "read",
    summary: "Counts of ranking, and how far an apprentice agrees with the first actions.",
  },
  {
    name: "graduate",
    method: "POST",
    path: "/v1/rank/graduate",
    scope: "admin",
    summary: "End the apprenticeship: from now on the best action is chosen.",
    statuses: [507],
  },
  {
    name: "reward",
    method: "POST",
    path: "/v1/events/{event}/reward",
    scope: "events",
    summary: "Give a ranked event its reward, once.",
    body: "reward",
    statuses: [...BAD, 404, 409, 507],
  },
  {
    name: "activate",
    method: "POST",
    path: "/v1/events/{event}/activate",
    scope: "events",
    summary: "Say that the choice of an event is shown, where its activation was deferred.",
    statuses: [400, 404, 409, 507],
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
