import type { Context } from "hono";
import { readBytes } from "../../logs/index.js";
import { EventError } from "../../protocol/index.js";
import { StorageError } from "../../storage/index.js";
import { bodyOf, DEPTH, HttpError, isShallow, mediaType } from "../body.js";
import { RankError } from "../rank/index.js";
import type { Metric, ServerMetrics } from "./metrics.js";
import type { CheckedAppOptions } from "./options.js";

/** Answers a route. */
export type Handler = (context: Context) => Response | Promise<Response>;
/** The handlers of a group of routes, by the names of the routes. */
export type Handlers = Readonly<Record<string, Handler>>;

/** What all groups of routes answer from. */
export interface Desk {
  readonly options: CheckedAppOptions;
  readonly metrics: ServerMetrics;
  /** Whether new requests shall go elsewhere. */
  readonly isDraining: boolean;
  /** Requests that are being answered. */
  readonly inHand: number;
  /** More figures for Prometheus. */
  figures(): Metric[];
}

/** Seconds after which a client may try again. */
export const RETRY = { "retry-after": "1" };

/** The object that a request's body is; an empty body is an empty object. @throws HttpError, EventError. */
export async function objectOf({ options }: Desk, request: Request): Promise<Record<string, unknown>> {
  const type = mediaType(request);
  const bytes = await readBytes(bodyOf(request, options));
  if (bytes.byteLength === 0) return {};
  if (type !== "application/json") {
    throw new HttpError(415, `the content type must be application/json, got ${type.slice(0, 80) || "none"}`);
  }
  return requireObject(parsed(bytes), "the body");
}

function parsed(bytes: Uint8Array): unknown {
  try {
    if (!isShallow(bytes)) throw new RangeError("too deep");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, `the body must be JSON in UTF-8, nested at most ${DEPTH} deep`);
  }
}

/** @throws EventError for what is no object. */
export function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new EventError("", `${what} must be an object`);
}

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
}

/** A part of the path. */
export function param({ req }: Context, name: string): string {
  return req.param(name) ?? "";
}

export function missing(what: string): never {
  throw new HttpError(404, `the ${what} is not known`);
}

/** What goes wrong, as a status. */
export function asHttp(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof EventError) return new HttpError(400, error.message, {}, error.field);
  if (error instanceof RankError) return new HttpError(error.status, error.message, {}, error.field);
  if (error instanceof StorageError) {
    if (error.reason === "full") return new HttpError(507, "no space is left for events; slates are still answered");
    return new HttpError(503, "the events were not taken; send them again", RETRY);
  }
  throw error;
}
