import { Latest } from "../../collections/index.js";
import { type Id, type Impression, type LiveEvent, type LoggedDecision, MAX_AHEAD_MS } from "../../protocol/index.js";

/** An entry of a log: an event or a decision. */
export type Entry = LiveEvent | LoggedDecision;

export function isEvent(entry: Entry): entry is LiveEvent {
  return "kind" in entry;
}

/** Entries after one that tell whether its time is right. Set by hand. */
const AHEAD = 4;

/** An entry of a log, and the time at its place. */
export interface Timed<E extends Entry = Entry> {
  readonly entry: E;
  /** What a host would have said, milliseconds: no entry with a wrong time moves it. */
  readonly now: number;
}

/**
 * The time at the place of each entry of a log: its own, where the median of the next ones is no earlier; it never goes
 * back. So single entries dated ahead, and single stale ones, are seen as such. Holds four entries.
 *
 * @param since - The time before the log. Default 0.
 * @param limit - The present, if the log is written now: no time is later. Default: none.
 */
export async function* timed<E extends Entry>(
  entries: AsyncIterable<E>,
  since = 0,
  limit: () => number = () => Infinity,
): AsyncGenerator<Timed<E>, void, undefined> {
  const held: E[] = [];
  let latest = since;
  const next = (): Timed<E> => {
    const entry = held.shift()!;
    const later = held.map(({ time }) => time).sort((a, b) => a - b);
    const median = later[later.length >> 1] ?? entry.time;
    const isWrong = entry.time > median + MAX_AHEAD_MS;
    if (!isWrong) latest = Math.max(latest, Math.min(entry.time, median, limit()));
    return { entry, now: latest };
  };
  for await (const entry of entries) {
    held.push(entry);
    if (held.length > AHEAD) yield next();
  }
  while (held.length > 0) yield next();
}

/**
 * Merges events and decisions. Each decision comes right before the first event that names it, or, if no event does,
 * before the first later event. Decisions after the last event are left out, as the log does not contain their outcome.
 *
 * @param events - In order of time, as are the decisions.
 */
export async function* merged(
  events: AsyncIterable<LiveEvent>,
  decisions: AsyncIterable<LoggedDecision>,
): AsyncGenerator<Entry, void, undefined> {
  const source = decisions[Symbol.asyncIterator]();
  const waiting: LoggedDecision[] = [];
  let isOver = false;
  for await (const { entry: event, now } of timed(events)) {
    while (!isOver && (waiting.at(-1)?.time ?? 0) <= now) {
      const next = await source.next();
      if (next.done) isOver = true;
      else waiting.push(next.value);
    }
    const named = "decision" in event ? waiting.findIndex(({ id }) => id === event.decision) : -1;
    const earlier = waiting.findIndex(({ time }) => time >= now);
    const due = named >= 0 ? named + 1 : earlier < 0 ? waiting.length : earlier;
    yield* waiting.splice(0, due);
    yield event;
  }
}

/** Impressions within this of the first one of their decision belong to its slate, milliseconds. Set by hand. */
const SLATE_MS = 60_000;
/** Number of remembered decisions, so that a late impression makes no second one. Set by hand. */
const REMEMBERED = 65_536;

/** A held event, and the decision that begins with it. */
interface Held {
  event: LiveEvent;
  /** The time at its place. */
  now: number;
  opens: Slate | undefined;
}

interface Slate {
  decision: LoggedDecision;
  /** Position on the page, of each stream of the slate. */
  positions: number[];
}

/**
 * Reconstructs decisions from impressions: a user's impressions with the same decision form its slate, in the order of
 * their positions. Holds events for a minute.
 *
 * @param events - In order of time.
 */
export async function* reconstructed(events: AsyncIterable<LiveEvent>): AsyncGenerator<Entry, void, undefined> {
  const slates = new Latest<string, Slate>(REMEMBERED);
  const held: Held[] = [];
  let first = 0;
  for await (const { entry: event, now } of timed(events)) {
    for (; first < held.length && held[first]!.now + SLATE_MS < now; first++) yield* released(held[first]!);
    if (first > 1024 && first * 2 > held.length) {
      held.splice(0, first);
      first = 0;
    }
    held.push({ event, now, opens: event.kind === "impression" ? addTo(slates, event) : undefined });
  }
  for (; first < held.length; first++) yield* released(held[first]!);
}

/** Adds an impression to the slate of its decision; returns the slate that it begins. */
function addTo(
  slates: Latest<string, Slate>,
  { user, stream, time, decision, position }: Impression,
): Slate | undefined {
  if (decision === undefined) return undefined;
  const key = `${user}\0${decision}`;
  const known = slates.get(key);
  const slate = known ?? { decision: { id: decision, user, time, slate: [] }, positions: [] };
  if (known === undefined) slates.set(key, slate);
  if (time > slate.decision.time + SLATE_MS || slate.decision.slate.includes(stream)) return undefined;
  slate.decision.slate.push(stream);
  slate.positions.push(position ?? slate.positions.length);
  return known === undefined ? slate : undefined;
}

function* released({ event, opens }: Held): Generator<Entry, void, undefined> {
  if (opens !== undefined) yield { ...opens.decision, slate: inOrder(opens) };
  yield event;
}

/** The slate by position; streams at the same position keep their order. */
function inOrder({ decision: { slate }, positions }: Slate): Id[] {
  const order = [...slate.keys()].sort((a, b) => positions[a]! - positions[b]! || a - b);
  return order.map((i) => slate[i]!);
}
