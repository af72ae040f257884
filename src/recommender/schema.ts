import * as v from "valibot";
import { show } from "../options.js";
import type { LiveEvent } from "./events.js";
import type { Request } from "./policy.js";

/** An event or a request that is not of its schema; the message names the field, what it must be and what it was. */
export class EventError extends TypeError {
  override readonly name = "EventError";
  /** Path of the offending field, such as `watchMs` or `tags.2`; empty when the whole value is wrong. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** Longest id, category or tag, in UTF-16 units; bounds what one event can make the tables hold. */
const NAME_LENGTH = 256;
const TITLE_LENGTH = 1024;
const DESCRIPTION_LENGTH = 16_384;
const TAGS = 32;
const EMBEDDING = 1024;
const EMBEDDING_MAX = 1e6;
const AGE_MAX = 150;
const CANDIDATES = 65_536;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_LENGTH));
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
const VECTOR = `an array of 1 to ${EMBEDDING} numbers`;

const KINDS = [
  "on_air",
  "update",
  "off_air",
  "impression",
  "click",
  "watch",
  "like",
  "comment",
  "share",
  "follow",
  "dislike",
  "rating",
  "gift",
  "page_view",
  "user",
  "friend",
  "unfriend",
] as const;

/** What each field must be, in words: the only place that says it. */
const MUST: Readonly<Record<string, string>> = {
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
  age: `a finite number in [0, ${AGE_MAX}]`,
  gender: NAME,
  region: NAME,
  device: NAME,
  friend: NAME,
  k: "an integer >= 1",
  candidates: `an array of at most ${CANDIDATES} ids`,
};

const timed = { time: nonNegative, id: v.optional(name) };
const userAndStream = { ...timed, user: name, stream: name };

const event = v.variant("kind", [
  v.strictObject({
    kind: v.literal("on_air"),
    ...timed,
    stream: name,
    streamer: name,
    category: name,
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
    stream: name,
    viewers: v.optional(count),
    likes: v.optional(count),
    category: v.optional(name),
    tags: v.optional(tags),
    title: v.optional(title),
  }),
  v.strictObject({ kind: v.literal("off_air"), ...timed, stream: name }),
  v.strictObject({
    kind: v.literal("impression"),
    ...userAndStream,
    decision: v.optional(name),
    position: v.optional(count),
  }),
  v.strictObject({ kind: v.literal("click"), ...userAndStream, decision: v.optional(name) }),
  v.strictObject({ kind: v.literal("watch"), ...userAndStream, watchMs: nonNegative, decision: v.optional(name) }),
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
  v.strictObject({ kind: v.literal("page_view"), ...timed, user: name, dwellMs: nonNegative, page: v.optional(name) }),
  v.strictObject({
    kind: v.literal("user"),
    ...timed,
    user: name,
    age: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(AGE_MAX))),
    gender: v.optional(name),
    region: v.optional(name),
    language: v.optional(name),
    device: v.optional(name),
  }),
  v.strictObject({ kind: v.picklist(["friend", "unfriend"]), ...timed, user: name, friend: name }),
]);

const request = v.strictObject({
  user: name,
  now: nonNegative,
  k: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  candidates: v.optional(v.pipe(v.array(name), v.maxLength(CANDIDATES))),
});

function refuse(issue: v.BaseIssue<unknown>, whole: string): never {
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const field = keys.join(".");
  if (field === "") throw new EventError(field, `${whole} must be an object, got ${show(issue.input)}`);
  const last = issue.path!.at(-1)!;
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw new EventError(field, `${show(field)} is not a field of ${whole}`);
  }
  // An element of a list is a name, whatever the list is called, but for the numbers of embeddings.
  const element = keys[0] === "embeddings" ? COMPONENT : NAME;
  const must = last.type === "array" ? element : MUST[keys[keys.length - 1]!];
  throw new EventError(field, `"${field}" must be ${must}, got ${show(last.value)}`);
}

/**
 * Returns a copy of `value` as an event.
 * @throws {EventError} when the kind or a field is unknown, missing or out of its range: `"watchMs" must be a finite
 * number >= 0, got -5`.
 */
export function parseEvent(value: unknown): LiveEvent {
  const result = v.safeParse(event, value, { abortEarly: true });
  if (!result.success) refuse(result.issues[0], "an event");
  return result.output as LiveEvent;
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
