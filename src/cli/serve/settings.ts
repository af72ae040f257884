import { between, boolean, integer, nonNegative, oneOf, positive, type Rule, zeroOr } from "../../check/index.js";

/** All that can be set of a server, by flags, the environment or a file. */
export interface ServeSettings {
  /** Undefined: `liveq-data`, or nowhere for a simulation. */
  dir: string | undefined;
  memory: boolean;
  simulate: boolean;
  viewers: number;
  speed: number;
  host: string;
  port: number;
  /** `SECRET`, or `SECRET=scope,scope`. */
  token: string[] | undefined;
  /** Whose pages may call. */
  origin: string[] | undefined;
  /** A file, or the options themselves. */
  options: string | Record<string, unknown> | undefined;
  /** The same of ranking. */
  rank: string | Record<string, unknown> | undefined;
  seed: number | undefined;
  checkpointEvery: number;
  modelUpdates: number;
  goldenQueries: number;
  valueMax: number;
  lossFactor: number;
  /** `owncast=URL`, `peertube=URL`, `twitch=FILTERS`. */
  connect: string[] | undefined;
  /** Seconds; undefined: by platform. */
  connectEvery: number | undefined;
  /** The public address of this server. */
  connectCallback: string | undefined;
  maxBytes: number;
  maxEvents: number;
  maxBatch: number;
  maxRequests: number;
  maxConnections: number;
  bodyTimeoutMs: number;
  rate: number;
  burst: number;
  maxTurnMs: number;
  trustProxy: boolean;
  graceMs: number;
  lingerMs: number;
  drainMs: number;
  waitMs: number;
  logLevel: string;
  logFormat: string;
}

/** A setting: its names follow from its key, `checkpointEvery`: `--checkpoint-every`, `LIVEQ_CHECKPOINT_EVERY`. */
export interface Setting {
  /** How a text becomes a value: of flags, and of the environment, where white space parts a list. */
  readonly kind: "number" | "text" | "switch" | "list";
  /** What its value is called in help: `<n>`. */
  readonly shown: string;
  readonly about: string;
  readonly rule: Rule;
  /** Left out: none. */
  readonly preset?: number | string | boolean;
  /** Whether nobody may read it: it is hidden where settings are shown. */
  readonly isSecret?: true;
}

const SEED_MAX = Number.MAX_SAFE_INTEGER;
const text: Rule = [(value) => typeof value === "string" && value !== "", "a text that is not empty"];
const texts: Rule = [
  (value) => Array.isArray(value) && value.length > 0 && value.every(text[0]),
  "texts that are not empty, at least one",
];
const isOrigin = (one: string) => URL.canParse(one) && new URL(one).origin === one;
const origins: Rule = [
  (value) => texts[0](value) && (value as string[]).every((one) => one === "*" || isOrigin(one)),
  'origins such as "https://live.example", or "*"',
];
const isPublic = (one: unknown) => {
  if (typeof one !== "string" || !URL.canParse(one)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(one);
  const isSafe = protocol === "https:" || (protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname));
  return isSafe && `${search}${hash}${username}${password}` === "" && !/[?#]$/.test(one);
};
const publicAddress: Rule = [isPublic, 'an address such as "https://live.example", without a query'];
const fileOrObject: Rule = [
  (value) => text[0](value) || (typeof value === "object" && value !== null && !Array.isArray(value)),
  "a file's name, or an object",
];

const MS = zeroOr(1, 2 ** 31 - 1);

const number = (shown: string, about: string, rule: Rule, preset?: number): Setting => ({
  ...{ kind: "number", shown, about, rule },
  ...(preset !== undefined && { preset }),
});
const on = (about: string): Setting => ({ kind: "switch", shown: "[on]", about, rule: boolean, preset: false });

/** The settings, in the order in which help lists them. */
export const SETTINGS: { readonly [K in keyof ServeSettings]: Setting } = {
  dir: {
    ...{ kind: "text", shown: "<folder>", rule: text },
    about: "where log and checkpoints are (default: liveq-data; with --simulate nowhere)",
  },
  memory: on("keep nothing: a server that ends forgets all"),
  simulate: on("send simulated viewers over HTTP, and tell of each of their days"),
  viewers: number("<n>", "simulated viewers", integer(1, 100_000), 300),
  speed: number("<x>", "how much faster simulated time goes than the clock", between(1, 100_000), 7200),
  host: { kind: "text", shown: "<address>", about: "the address to listen on", rule: text, preset: "127.0.0.1" },
  port: number("<n>", "the port; 0 takes a free one", integer(0, 65_535), 8787),
  token: {
    ...{ kind: "list", shown: "<secret...>", rule: texts, isSecret: true },
    about: "who may ask, all or SECRET=recommend,events,read,admin",
  },
  origin: {
    ...{ kind: "list", shown: "<origin...>", rule: origins },
    about: "origins whose pages may call, such as https://live.example; * for all, with a token",
  },
  options: {
    ...{ kind: "text", shown: "<file>", rule: fileOrObject },
    about: "options of a new recommender, as JSON; in a file of settings also the object itself",
  },
  rank: {
    ...{ kind: "text", shown: "<file>", rule: fileOrObject },
    about: "options of ranking in a new server, as JSON; in a file of settings also the object itself",
  },
  seed: number("<n>", "seed of a new recommender", integer(0, SEED_MAX)),
  checkpointEvery: number("<n>", "records between two checkpoints", integer(1, 1e9), 100_000),
  modelUpdates: number("<n>", "updates between two models, at least", integer(1, 1e9), 200),
  goldenQueries: number("<n>", "latest requests that a model is tried on", integer(1, 10_000), 32),
  valueMax: number("<x>", "largest absolute value of a stream that a model may give", positive, 1e5),
  lossFactor: number("<x>", "a model whose loss grew so many times is held back; 0: none is", nonNegative, 10),
  connect: {
    ...{ kind: "list", shown: "<platform...>", rule: texts },
    about: "follow owncast=URL, peertube=URL, twitch=user_id=1&language=en; their secrets are variables",
  },
  connectEvery: number("<s>", "seconds between two polls (default: 15, 30 or 60 by platform)", between(1, 86_400)),
  connectCallback: {
    ...{ kind: "text", shown: "<url>", rule: publicAddress },
    about: "this server's public address: it makes its own subscriptions of Twitch's EventSub for it",
  },
  maxBytes: number("<n>", "most bytes of a body, as sent and decompressed", integer(1, 2 ** 30), 2 ** 23),
  maxEvents: number("<n>", "most events of a request", integer(1, 2 ** 20), 10_000),
  maxBatch: number("<n>", "most requests of a batch", integer(1, 10_000), 100),
  maxRequests: number("<n>", "most requests in hand at one time; more get 503", integer(1, 2 ** 20), 1024),
  maxConnections: number("<n>", "most connections; more are closed at once", integer(1, 1_000_000), 10_000),
  bodyTimeoutMs: number("<ms>", "how long a body may take to arrive", integer(1, 2 ** 31 - 1), 10_000),
  rate: number(
    "<n>",
    "requests a second of one client, by token or address; more get 429; 0: any number",
    nonNegative,
    0,
  ),
  burst: number("<n>", "requests of one client at once, after a while without any", integer(1, 2 ** 31 - 1), 100),
  maxTurnMs: number(
    "<ms>",
    "work for requests that came together; those behind get 503; 0: all wait",
    zeroOr(0.1, 60_000),
    20,
  ),
  trustProxy: on("take a client's address from the last x-forwarded-for: only behind a proxy that writes it"),
  graceMs: number("<ms>", "how long a server that stops waits for what has begun", MS, 10_000),
  lingerMs: number("<ms>", "how long it keeps idle connections, for requests that are on their way", MS, 1000),
  drainMs: number("<ms>", "how long it takes new connections after /ready says no, for balancers to see it", MS, 0),
  waitMs: number("<ms>", "how long a server that starts waits for the folder of one that stops", MS, 0),
  logLevel: {
    ...{ kind: "text", shown: "<level>", preset: "info" },
    ...{ about: "what is told on stderr; debug: a line a request", rule: oneOf("error", "warn", "info", "debug") },
  },
  logFormat: {
    ...{ kind: "text", shown: "<format>", about: "lines for people, or JSON", rule: oneOf("text", "json") },
    preset: "text",
  },
};

export const KEYS = Object.keys(SETTINGS) as (keyof ServeSettings)[];

/** `checkpointEvery` -> `--checkpoint-every`. */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `checkpointEvery` -> `LIVEQ_CHECKPOINT_EVERY`. */
export function variableOf(key: string): string {
  return `LIVEQ${flagOf(key).slice(1).replaceAll("-", "_").toUpperCase()}`;
}

const SWITCH: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

/** The value of a text; the text itself where it has none: its rule says then what it must be. */
export function parsedBy({ kind }: Setting, given: string): unknown {
  if (kind === "list") return given.split(/\s/).filter((part) => part !== "");
  if (kind === "switch") return Object.hasOwn(SWITCH, given) ? SWITCH[given] : given;
  if (kind === "number" && given.trim() !== "" && !Number.isNaN(Number(given))) return Number(given);
  return given;
}
