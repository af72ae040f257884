import type { CleanEventsOptions } from "../../src/logs/index.js";
import type { LiveEvent } from "../../src/protocol/events.js";

/** Options with all that the twin reads. */
export type TwinOptions = Required<
  Pick<
    CleanEventsOptions,
    | "offAir"
    | "graceMs"
    | "timeoutMs"
    | "emptyWatch"
    | "watchMaxMs"
    | "long"
    | "giftAfterMs"
    | "giftGapMs"
    | "userLimit"
    | "pairLimit"
    | "limitMs"
    | "bounds"
  >
>;

type Loose = LiveEvent & {
  user?: string;
  stream?: string;
  watchMs?: number;
  amount?: number;
};

/** When a stream went on and off air, by the events kept so far; undefined if it is not known at `now`. */
function stateOf(kept: readonly Loose[], id: string, now: number, graceMs: number) {
  let state: { start: number; end: number; sign: number } | undefined;
  for (const event of kept) {
    if (event.stream !== id) continue;
    if (event.kind === "on_air" && state?.end !== Infinity)
      state = { start: event.time, end: Infinity, sign: event.time };
    else if (event.kind === "off_air" && state) state.end = event.time;
    else if (state) state.sign = event.time;
  }
  return state && now <= state.end + graceMs ? state : undefined;
}

/** A naive twin of the cleaning, for events that all come in time: it looks at all that it has kept, for each event. */
export function cleanNaively(events: readonly LiveEvent[], options: TwinOptions): { kept: LiveEvent[]; added: number } {
  const ids = new Set<string>();
  const waiting = events.filter((event) => {
    const id = JSON.stringify(["user" in event ? event.user : null, event.id]);
    return event.id === undefined || (!ids.has(id) && ids.add(id));
  });
  const ordered = waiting.map((event, index) => ({ event: event as Loose, index }));
  ordered.sort((a, b) => a.event.time - b.event.time || a.index - b.index);
  const kept: Loose[] = [];
  const taken: Loose[] = [];
  let added = 0;
  for (const { event } of ordered) {
    for (;;) {
      const open = [...new Set(kept.flatMap(({ stream }) => (stream === undefined ? [] : [stream])))]
        .map((stream) => ({ stream, state: stateOf(kept, stream, Infinity, 0) }))
        .filter(({ state }) => state?.end === Infinity)
        .map(({ stream, state }) => ({ stream, due: state!.sign + options.timeoutMs }))
        .filter(({ due }) => due < event.time)
        .sort((a, b) => a.due - b.due)[0];
      if (!open) break;
      kept.push({ kind: "off_air", time: open.due, stream: open.stream });
      added++;
    }
    const clean = judge(event, kept, taken, options);
    if (!clean || (event.id === undefined && [...taken, ...kept].some((one) => isSame(one, clean)))) continue;
    kept.push(clean);
    taken.push(event);
  }
  return { kept, added };
}

function isSame(one: Loose, other: Loose): boolean {
  const fields = (event: Loose) => JSON.stringify(Object.entries(event).sort());
  return one.id === undefined && fields(one) === fields(other);
}

function judge(event: Loose, kept: Loose[], taken: Loose[], options: TwinOptions): Loose | undefined {
  if (event.id === undefined && [...taken, ...kept].some((one) => isSame(one, event))) return undefined;
  if (event.kind === "page_view") return cap(event, "dwellMs", event.dwellMs, Infinity, options);
  if (event.stream === undefined || event.kind === "on_air") return event;
  const state = stateOf(kept, event.stream, event.time, options.graceMs);
  if (event.kind === "off_air" || event.kind === "update") return state?.end === Infinity ? event : undefined;
  if (!state && options.offAir === "drop") return undefined;
  const acts = kept.filter(
    (one) =>
      [
        "click",
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
      ].includes(one.kind) &&
      one.user === event.user &&
      Math.floor(one.time / options.limitMs) === Math.floor(event.time / options.limitMs),
  );
  if (event.kind !== "impression" && event.kind !== "heartbeat") {
    if (options.userLimit > 0 && acts.length >= options.userLimit) return undefined;
    const mine = acts.filter((one) => one.stream === event.stream);
    if (options.pairLimit > 0 && mine.length >= options.pairLimit) return undefined;
  }
  if (event.kind === "gift") {
    const of = (kind: string) => kept.filter((one) => one.kind === kind && one.user === event.user);
    const last = (kind: string) =>
      of(kind).reduce((time, one) => (one.stream === event.stream ? one.time : time), -Infinity);
    if (event.time - last("click") < options.giftAfterMs) return undefined;
    if (event.time - last("gift") < options.giftGapMs) return undefined;
    return { ...event, amount: Math.min(event.amount!, options.bounds.amount ?? Infinity) } as Loose;
  }
  if (event.kind === "purchase") {
    return { ...event, amount: Math.min(event.amount!, options.bounds.purchase ?? Infinity) } as Loose;
  }
  if (event.kind !== "watch" && event.kind !== "heartbeat") return event;
  if (event.kind === "watch" && event.watchMs === 0 && options.emptyWatch === "drop") return undefined;
  const most = state ? Math.min(event.time, state.end) - state.start : Infinity;
  return cap(event, "watchMs", event.watchMs!, most, options);
}

function cap(event: Loose, field: "watchMs" | "dwellMs", value: number, most: number, options: TwinOptions) {
  const usual = Math.min(value, options.bounds[field] ?? Infinity);
  const possible = Math.min(usual, options.watchMaxMs, most);
  if (possible < usual && options.long === "drop") return undefined;
  if (possible < usual && possible <= 0 && options.emptyWatch === "drop" && event.kind !== "heartbeat")
    return undefined;
  return { ...event, [field]: possible } as Loose;
}
