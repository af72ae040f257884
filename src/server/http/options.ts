import { callback, checked, group, integer, optional, positive, type Rule, type Rules } from "../../check/index.js";
import type { PlatformConnection } from "../connect/index.js";
import type { Edge } from "../edge/edge.js";
import type { Token } from "./auth.js";
import type { RateOptions } from "./limits.js";
import type { Metric } from "./metrics.js";

/** How a server answers. */
export interface EdgeAppOptions {
  /** What answers, logs and learns. */
  edge: Edge;
  /** Who may do what. Default: everybody may do all; give some where others than this machine reach the server. */
  tokens?: readonly Token[] | undefined;
  /**
   * Origins whose pages may call, such as `https://live.example`; `*` for all, where tokens are given. Default: none but
   * the server's own.
   */
  origins?: readonly string[];
  /** Platforms that are followed: their webhooks are `/v1/connect/{name}`. Default none. */
  connections?: readonly PlatformConnection[];
  /** Maximum size of a body in bytes, as sent and after decompression. Default 8 MiB. */
  maxBytes?: number;
  /** Maximum number of events in a request. Default 10 000. */
  maxEvents?: number;
  /** Maximum number of requests in a batch. Default 100. */
  maxBatch?: number;
  /** Requests in hand at one time; more are sent away with 503. Default 1024. */
  maxRequests?: number;
  /** How long a body may take to arrive, milliseconds, > 0. Default 10 000. */
  bodyTimeoutMs?: number;
  /** How many requests a client may send; more are sent away with 429. Default: any number. */
  limits?: Partial<RateOptions>;
  /** More figures for `/metrics`: of the host that mounts this. Default: none. */
  figures?: () => readonly Metric[];
  /** Called with each answer, for a log. Default: nobody is told. */
  onAnswer?: ((answer: Answered) => void) | undefined;
  /** The host's time, milliseconds since the Unix epoch. Default `Date.now`. */
  now?: () => number;
}

/** An answer, as a log tells of it. */
export interface Answered {
  /** The request's own `x-request-id`, else one that was made for it; the answer carries it too. */
  readonly id: string;
  readonly method: string;
  /** The pattern of its path, `/v1/users/{user}`; "" of what is no route. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

const anything: Rule = [() => true, ""];
const RULES: Rules<EdgeAppOptions> = {
  edge: anything,
  tokens: optional(anything),
  origins: [(value) => Array.isArray(value), "an array of origins"],
  connections: anything,
  maxBytes: integer(1, 2 ** 30),
  maxEvents: integer(1, 2 ** 20),
  maxBatch: integer(1, 10_000),
  maxRequests: integer(1, 2 ** 20),
  bodyTimeoutMs: positive,
  limits: group,
  figures: callback,
  onAnswer: optional(callback),
  now: anything,
};
const DEFAULTS: Required<Omit<EdgeAppOptions, "edge" | "tokens" | "onAnswer">> = {
  origins: [],
  connections: [],
  maxBytes: 2 ** 23,
  maxEvents: 10_000,
  maxBatch: 100,
  maxRequests: 1024,
  bodyTimeoutMs: 10_000,
  limits: {},
  figures: () => [],
  now: () => Date.now(),
};

export type CheckedAppOptions = Required<Omit<EdgeAppOptions, "tokens" | "onAnswer">> &
  Pick<EdgeAppOptions, "tokens" | "onAnswer">;

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedApp(options: EdgeAppOptions): CheckedAppOptions {
  return checked<EdgeAppOptions>(options, RULES, DEFAULTS) as CheckedAppOptions;
}
