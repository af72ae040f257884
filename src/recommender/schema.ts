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
const TAGS = 32;
const CANDIDATES = 65_536;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_LENGTH));
const nonNegative = v.pipe(v.number(), v.finite(), v.minValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const NAME = `a string of 1 to ${NAME_LENGTH} characters`;
const NON_NEGATIVE = "a finite number >= 0";
const COUNT = "an integer >= 0";

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
  "gift",
] as const;

/** What each field must be, in words: the only place that says it. */
const MUST: Readonly<Record<string, string>> = {
  kind: `one of ${KINDS.join(", ")}`,
  time: NON_NEGATIVE,
  now: NON_NEGATIVE,
  user: NAME,
  stream: NAME,
  streamer: NAME,
  category: NAME,
  decision: NAME,
  tags: `an array of at most ${TAGS} strings`,
  title: `a string of at most ${TITLE_LENGTH} characters`,
  viewers: COUNT,
  position: COUNT,
  watchMs: NON_NEGATIVE,
  amount: "a finite number > 0",
  k: "an integer >= 1",
  candidates: `an array of at most ${CANDIDATES} ids`,
};

const userAndStream = { time: nonNegative, user: name, stream: name };

const event = v.variant("kind", [
  v.strictObject({
    kind: v.literal("on_air"),
    time: nonNegative,
    stream: name,
    streamer: name,
    category: name,
    tags: v.optional(v.pipe(v.array(name), v.maxLength(TAGS))),
    title: v.optional(v.pipe(v.string(), v.maxLength(TITLE_LENGTH))),
  }),
  v.strictObject({
    kind: v.literal("update"),
    time: nonNegative,
    stream: name,
    viewers: v.optional(count),
    category: v.optional(name),
  }),
  v.strictObject({ kind: v.literal("off_air"), time: nonNegative, stream: name }),
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
    kind: v.literal("gift"),
    ...userAndStream,
    amount: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  }),
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
  // An element of a list is a name, whatever the list is called.
  const must = last.type === "array" ? NAME : MUST[keys[keys.length - 1]!];
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
