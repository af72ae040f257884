import * as v from "valibot";
import { type Rule, show } from "../check/index.js";
import { EventError } from "./error.js";
import type { LiveEvent } from "./events.js";
import type { Decision, Request } from "./policy.js";
import { SOURCES } from "./sources.js";

export { EventError } from "./error.js";

/** Longest id, category or tag, in UTF-16 units; bounds the memory that one event can take in the tables. */
const NAME_LENGTH = 256;
const TITLE_LENGTH = 1024;
const DESCRIPTION_LENGTH = 16_384;
const TAGS = 32;
const EMBEDDING = 1024;
const EMBEDDING_MAX = 1e6;
/** Longest name of a signal, in UTF-16 units, and its largest absolute value. */
const SIGNAL_LENGTH = 64;
const SIGNAL_MAX = 1e9;
const AGE_MAX = 150;
const CANDIDATES = 65_536;
/** Most names in one list of a filter. */
const FILTERED = 4096;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_LENGTH));
/** No control characters: they break logs and terminals, and keys made of several ids. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what it finds.
const PLAIN = /^[^\u0000-\u001f\u007f-\u009f]*$/;
const id = v.pipe(name, v.regex(PLAIN));
const nonNegative = v.pipe(v.number(), v.finite(), v.minValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const tags = v.pipe(v.array(name), v.maxLength(TAGS));
const title = v.pipe(v.string(), v.maxLength(TITLE_LENGTH));
const component = v.pipe(v.number(), v.finite(), v.minValue(-EMBEDDING_MAX), v.maxValue(EMBEDDING_MAX));
const embedding = v.pipe(v.array(component), v.minLength(1), v.maxLength(EMBEDDING));

const NAME = `a string of 1 to ${NAME_LENGTH} characters`;
const NON_NEGATIVE = "a finite number >= 0";
const COUNT = "an integer >= 0";
const COMPONENT = `a finite number in [-${EMBEDDING_MAX}, ${EMBEDDING_MAX}]`;
const NAMES = `an array of at most ${FILTERED} strings`;
const VECTOR = `an array of 1 to ${EMBEDDING} numbers`;

/** Every kind of event. */
export const KINDS = [
  "on_air",
  "update",
  "off_air",
  "impression",
  "click",
  "heartbeat",
  "watch",
  "like",
  "comment",
  "share",
  "follow",
  "dislike",
  "rating",
  "gift",
  "purchase",
  "signal",
  "page_view",
  "user",
  "friend",
  "unfriend",
] as const;

/** The requirement of each field, in words; `KIND.FIELD` stands before `FIELD`. */
export const MUST: Readonly<Record<string, string>> = {
  kind: `one of ${KINDS.join(", ")}`,
  id: NAME,
  time: NON_NEGATIVE,
  now: NON_NEGATIVE,
  user: NAME,
  stream: NAME,
  streamer: NAME,
  category: NAME,
  decision: NAME,
  tags: `an array of at most ${TAGS} strings`,
  title: `a string of at most ${TITLE_LENGTH} characters`,
  description: `a string of at most ${DESCRIPTION_LENGTH} characters`,
  language: NAME,
  mature: "true or false",
  embeddings: "an object of text, image and audio",
  text: VECTOR,
  image: VECTOR,
  audio: VECTOR,
  viewers: COUNT,
  likes: COUNT,
  position: COUNT,
  watchMs: NON_NEGATIVE,
  dwellMs: NON_NEGATIVE,
  page: NAME,
  rating: "a finite number in [0, 1]",
  amount: "a finite number > 0",
  "purchase.amount": NON_NEGATIVE,
  name: `a string of 1 to ${SIGNAL_LENGTH} characters`,
  value: `a finite number in [-${SIGNAL_MAX}, ${SIGNAL_MAX}]`,
  age: `a finite number in [0, ${AGE_MAX}]`,
  gender: NAME,
  region: NAME,
  device: NAME,
  friend: NAME,
  k: "an integer >= 1",
  candidates: `an array of at most ${CANDIDATES} ids`,
  filter: "an object",
  explain: "true, false or an integer >= 1",
  languages: NAMES,
  categories: "an object of include and exclude",
  include: NAMES,
  exclude: NAMES,
  blocked: NAMES,
  streams: "an object of exclude",
  own: "true or false",
  seenWithinMs: NON_NEGATIVE,
  minAgeMs: NON_NEGATIVE,
  maxAgeMs: NON_NEGATIVE,
  minViewers: COUNT,
  slate: `an array of at most ${CANDIDATES} ids, each once`,
  propensities: "an array of as many numbers as the slate has streams",
  scores: "an array of as many numbers as the slate has streams",
  sources: "an array of as many sources as the slate has streams",
  explanations: "an array of objects",
  runnersUp: "an array of objects",
};

/** The requirement of a field of an event of some kind, or of another object, in words. */
export function mustOf(field: string, kind: unknown): string {
  const own = `${String(kind)}.${field}`;
  return (Object.hasOwn(MUST, own) ? MUST[own] : MUST[field])!;
}

/** The requirement of elements of lists other than names. */
const ELEMENT: Readonly<Record<string, string>> = {
  embeddings: COMPONENT,
  propensities: "a finite number in (0, 1]",
  scores: "a finite number",
  sources: `one of ${[...SOURCES, "all"].join(", ")}`,
  explanations: "an object",
  runnersUp: "an object",
};

const timed = { time: nonNegative, id: v.optional(id) };
const userAndStream = { ...timed, user: id, stream: id };

const event = v.variant("kind", [
  v.strictObject({
    kind: v.literal("on_air"),
    ...timed,
    stream: id,
    streamer: id,
    category: v.optional(name),
    tags: v.optional(tags),
    title: v.optional(title),
    description: v.optional(v.pipe(v.string(), v.maxLength(DESCRIPTION_LENGTH))),
    language: v.optional(name),
    mature: v.optional(v.boolean()),
    embeddings: v.optional(
      v.strictObject({ text: v.optional(embedding), image: v.optional(embedding), audio: v.optional(embedding) }),
    ),
  }),
  v.strictObject({
    kind: v.literal("update"),
    ...timed,
    stream: id,
    viewers: v.optional(count),
    likes: v.optional(count),
    category: v.optional(name),
    tags: v.optional(tags),
    title: v.optional(title),
  }),
  v.strictObject({ kind: v.literal("off_air"), ...timed, stream: id }),
  v.strictObject({
    kind: v.literal("impression"),
    ...userAndStream,
    decision: v.optional(id),
    position: v.optional(count),
  }),
  v.strictObject({ kind: v.literal("click"), ...userAndStream, decision: v.optional(id) }),
  v.strictObject({ kind: v.literal("heartbeat"), ...userAndStream, watchMs: nonNegative, decision: v.optional(id) }),
  v.strictObject({ kind: v.literal("watch"), ...userAndStream, watchMs: nonNegative, decision: v.optional(id) }),
  v.strictObject({ kind: v.picklist(["like", "comment", "share", "follow", "dislike"]), ...userAndStream }),
  v.strictObject({
    kind: v.literal("rating"),
    ...userAndStream,
    rating: v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1)),
  }),
  v.strictObject({
    kind: v.literal("gift"),
    ...userAndStream,
    amount: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  }),
  v.strictObject({
    kind: v.literal("purchase"),
    ...userAndStream,
    amount: nonNegative,
    decision: v.optional(id),
  }),
  v.strictObject({
    kind: v.literal("signal"),
    ...userAndStream,
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(SIGNAL_LENGTH)),
    value: v.pipe(v.number(), v.finite(), v.minValue(-SIGNAL_MAX), v.maxValue(SIGNAL_MAX)),
    decision: v.optional(id),
  }),
  v.strictObject({ kind: v.literal("page_view"), ...timed, user: id, dwellMs: nonNegative, page: v.optional(id) }),
  v.strictObject({
    kind: v.literal("user"),
    ...timed,
    user: id,
    age: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(AGE_MAX))),
    gender: v.optional(name),
    region: v.optional(name),
    language: v.optional(name),
    device: v.optional(name),
  }),
  v.strictObject({ kind: v.picklist(["friend", "unfriend"]), ...timed, user: id, friend: id }),
]);

const names = v.optional(v.pipe(v.array(name), v.maxLength(FILTERED)));

const filter = v.strictObject({
  languages: names,
  mature: v.optional(v.boolean()),
  categories: v.optional(v.strictObject({ include: names, exclude: names })),
  blocked: names,
  streams: v.optional(v.strictObject({ exclude: names })),
  own: v.optional(v.boolean()),
  seenWithinMs: v.optional(nonNegative),
  minAgeMs: v.optional(nonNegative),
  maxAgeMs: v.optional(nonNegative),
  minViewers: v.optional(count),
});

const request = v.strictObject({
  user: id,
  now: nonNegative,
  k: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  candidates: v.optional(v.pipe(v.array(id), v.maxLength(CANDIDATES))),
  filter: v.optional(filter),
  explain: v.optional(v.union([v.boolean(), v.pipe(v.number(), v.safeInteger(), v.minValue(1))])),
});

/** A list of distinct names. */
export const unique = v.check<string[], undefined>((names) => new Set(names).size === names.length, undefined);

/** Nothing reads explanations: a log of decisions may hold them. */
const told = v.optional(v.pipe(v.array(v.looseObject({})), v.maxLength(CANDIDATES)));

const decision = v.strictObject({
  id,
  user: id,
  time: nonNegative,
  slate: v.pipe(v.array(id), v.maxLength(CANDIDATES), unique),
  propensities: v.optional(v.array(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)))),
  scores: v.optional(v.array(v.pipe(v.number(), v.finite()))),
  sources: v.optional(v.array(v.picklist([...SOURCES, "all"]))),
  explanations: told,
  runnersUp: told,
});

/** @internal The schemas, for descriptions. Their types would be 27 KB of the package's declarations. */
export const SCHEMAS = { event, request, decision };

function refuse(issue: v.BaseIssue<unknown>, whole: string): never {
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const field = keys.join(".");
  if (field === "") throw new EventError(field, `${whole} must be an object, got ${show(issue.input)}`);
  const last = issue.path!.at(-1)!;
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw new EventError(field, `${show(field)} is not a field of ${whole}`);
  }
  // Elements of lists are names, except those of numbers and sources.
  const element = ELEMENT[keys[0]!] ?? NAME;
  if (issue.type === "regex") {
    throw new EventError(field, `"${field}" must be without control characters, got ${show(last.value)}`);
  }
  const must =
    last.type === "array" ? element : mustOf(keys.at(-1)!, (issue.path![0]!.input as { kind?: unknown }).kind);
  throw new EventError(field, `"${field}" must be ${must}, got ${show(last.value)}`);
}

/** Whether a value meets the requirement of a field. */
type Check = (value: unknown) => boolean;

function textOf(shortest: number, longest: number): Check {
  return (value) => typeof value === "string" && value.length >= shortest && value.length <= longest;
}

function numberIn(low: number, high: number): Check {
  return (value) => typeof value === "number" && value >= low && value <= high;
}

function listOf(shortest: number, longest: number, check: Check): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length < shortest || value.length > longest) return false;
    // Not `every`, which skips holes.
    for (let i = 0; i < value.length; i++) if (!check(value[i])) return false;
    return true;
  };
}

const isName = textOf(1, NAME_LENGTH);
const isId: Check = (value) => {
  if (typeof value !== "string" || value.length === 0 || value.length > NAME_LENGTH) return false;
  // As PLAIN says, in a third of the time.
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  }
  return true;
};
/** Rules of what events bring, for files that keep it: as strict as an event's. */
export const idRule: Rule = [isId, `${NAME} without control characters`];
export const nameRule: Rule = [isName, NAME];
export const tagsRule: Rule = [listOf(0, TAGS, isName), MUST["tags"]!];
export const titleRule: Rule = [textOf(0, TITLE_LENGTH), MUST["title"]!];
export const descriptionRule: Rule = [textOf(0, DESCRIPTION_LENGTH), MUST["description"]!];

const isNonNegative = numberIn(0, Number.MAX_VALUE);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTags = listOf(0, TAGS, isName);
const isEmbedding = listOf(1, EMBEDDING, numberIn(-EMBEDDING_MAX, EMBEDDING_MAX));

const CHECKS: Readonly<Record<string, Check>> = {
  id: isId,
  user: isId,
  stream: isId,
  streamer: isId,
  decision: isId,
  friend: isId,
  page: isId,
  tags: isTags,
  title: textOf(0, TITLE_LENGTH),
  description: textOf(0, DESCRIPTION_LENGTH),
  mature: (value) => typeof value === "boolean",
  embeddings: (value) => isOf(value, { text: isEmbedding, image: isEmbedding, audio: isEmbedding }),
  viewers: isCount,
  likes: isCount,
  position: isCount,
  time: isNonNegative,
  watchMs: isNonNegative,
  dwellMs: isNonNegative,
  rating: numberIn(0, 1),
  amount: numberIn(Number.MIN_VALUE, Number.MAX_VALUE),
  "purchase.amount": isNonNegative,
  name: textOf(1, SIGNAL_LENGTH),
  value: numberIn(-SIGNAL_MAX, SIGNAL_MAX),
  age: numberIn(0, AGE_MAX),
};

interface Shape {
  fields: readonly string[];
  /** Number of fields that must be there. */
  required: number;
  checks: ReadonlyMap<string, FieldCheck>;
}

interface FieldCheck {
  check: Check;
  isRequired: boolean;
}

/** The fields of each kind, taken from the schema itself; a field without its own check is a name. */
const SHAPES: ReadonlyMap<unknown, Shape> = new Map(
  event.options.flatMap(({ entries }) => {
    const schemas = Object.entries(entries).filter(([field]) => field !== "kind");
    const required = new Set(schemas.filter(([, schema]) => schema.type !== "optional").map(([field]) => field));
    const fields = schemas.map(([field]) => field);
    const kinds: readonly string[] = "options" in entries.kind ? entries.kind.options : [entries.kind.literal];
    const checkOf = (field: string) => CHECKS[`${kinds[0]}.${field}`] ?? CHECKS[field] ?? isName;
    const checks = new Map<string, FieldCheck>([["kind", { check: () => true, isRequired: false }]]);
    for (const field of fields) checks.set(field, { check: checkOf(field), isRequired: required.has(field) });
    const shape = { fields, required: required.size, checks };
    return kinds.map((kind): [string, Shape] => [kind, shape]);
  }),
);

/** Whether a value is a plain object of valid fields only. */
function isOf(value: unknown, checks: Readonly<Record<string, Check>>): boolean {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const field in value) {
    if (!Object.hasOwn(checks, field) || !checks[field]!((value as Record<string, unknown>)[field])) return false;
  }
  return true;
}

/**
 * Whether a value is a valid event without a copy: a plain object that `parseEvent` accepts. It allocates nothing and
 * takes a tenth of the time. It also refuses some valid events (undefined fields, instances of a class): `parseEvent`
 * decides, and names the error.
 */
export function isEvent(value: unknown): value is LiveEvent {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const shape = SHAPES.get((value as LiveEvent).kind);
  if (shape === undefined) return false;
  let required = 0;
  for (const field in value) {
    const known = shape.checks.get(field);
    if (known === undefined || !known.check((value as Record<string, unknown>)[field])) return false;
    // A field of Object.prototype is none of the event's own.
    if (known.isRequired && Object.hasOwn(value, field)) required++;
  }
  return required === shape.required;
}

function copy(event: LiveEvent): LiveEvent {
  if (event.kind !== "on_air" && event.kind !== "update") return { ...event };
  const copied = { ...event };
  if (copied.tags !== undefined) copied.tags = [...copied.tags];
  if (copied.kind !== "on_air" || copied.embeddings === undefined) return copied;
  const vectors = Object.entries(copied.embeddings as Record<string, number[]>);
  return { ...copied, embeddings: Object.fromEntries(vectors.map(([name, vector]) => [name, [...vector]])) };
}

/**
 * Returns a copy of `value` as an event.
 * @throws {EventError} when the kind or a field is unknown, missing or out of its range: `"watchMs" must be a finite
 * number >= 0, got -5`.
 */
export function parseEvent(value: unknown): LiveEvent {
  if (isEvent(value)) {
    const copied = copy(value);
    // A getter may give the copy another value.
    if (isEvent(copied)) return copied;
  }
  const result = v.safeParse(event, value, { abortEarly: true });
  if (!result.success) refuse(result.issues[0], "an event");
  return result.output as LiveEvent;
}

/**
 * Returns `value` as an event, without a copy where possible, for callers that own the value.
 * @throws {EventError} as `parseEvent` does.
 */
export function asEvent(value: unknown): LiveEvent {
  return isEvent(value) ? value : parseEvent(value);
}

/** The fields of events of a kind beside `kind`, in the order of the schema; none for an unknown kind. */
export function fieldsOf(kind: string): readonly string[] {
  return SHAPES.get(kind)?.fields ?? [];
}

/**
 * Returns a copy of `value` as a request.
 * @throws {EventError} as `parseEvent` does.
 */
export function parseRequest(value: unknown): Request {
  const result = v.safeParse(request, value, { abortEarly: true });
  if (!result.success) refuse(result.issues[0], "a request");
  return result.output as Request;
}

/** A decision with the fields that learning needs. */
export type LoggedDecision = Pick<Decision, "id" | "user" | "time" | "slate"> & Partial<Decision>;

/**
 * Returns a copy of `value` as a decision; propensities, scores and sources may be missing.
 * @throws {EventError} as `parseEvent` does.
 */
export function parseDecision(value: unknown): LoggedDecision {
  const result = v.safeParse(decision, value, { abortEarly: true });
  if (!result.success) refuse(result.issues[0], "a decision");
  const { output } = result;
  for (const field of ["propensities", "scores", "sources"] as const) {
    const list = output[field];
    if (list === undefined || list.length === output.slate.length) continue;
    throw new EventError(field, `"${field}" must be ${MUST[field]}, got ${list.length} for ${output.slate.length}`);
  }
  return output as LoggedDecision;
}
