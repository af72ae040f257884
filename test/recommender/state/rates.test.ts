import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Part } from "../../../src/engine/index.js";
import { log1p } from "../../../src/numeric/math.js";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { MINUTE } from "../../../src/protocol/time.js";
import { type CatalogStream, Catalogue } from "../../../src/recommender/state/catalogue.js";
import { type RateName as Counted, Rates } from "../../../src/recommender/state/rates.js";
import { onAir } from "../../support/events.js";
import { bytesOf, copyParts, textOf } from "../../support/parts.js";

const KINDS = ["click", "comment", "gift", "like", "follow", "share", "watch", "impression"] as const;
const COUNTED = { joinRate: ["click"], commentRate: ["comment"], giftRate: ["gift"], likeRate: ["like", "follow"] };
type RateName = keyof typeof COUNTED;

const NAMES: Record<RateName, Counted> = {
  joinRate: "join",
  commentRate: "comment",
  giftRate: "gift",
  likeRate: "like",
};

/** Streams on air, and their counts. */
class Live {
  readonly catalogue = new Catalogue();
  readonly rates = new Rates();
  #now = 0;

  constructor() {
    this.catalogue.follow(this.rates);
  }

  advance(now: number): void {
    this.#now = Math.max(this.#now, now);
    this.rates.advance(now);
  }

  feedback(event: LiveEvent): void {
    this.advance(event.time);
    const stream = "stream" in event ? this.catalogue.get(event.stream) : undefined;
    if (event.kind === "update" && event.viewers !== undefined && stream) {
      this.rates.viewers(stream.index, event.viewers, event.time);
    }
    if ("user" in event && "stream" in event && stream) this.rates.add(stream.index, event.kind, event.user, stream.id);
    this.catalogue.feedback(event);
  }

  read({ index, startedAt }: CatalogStream, name: RateName): number | undefined {
    return this.rates.rate(index, NAMES[name], startedAt, this.#now);
  }

  rate(stream: string, name: RateName): number | undefined {
    return this.read(this.catalogue.get(stream)!, name);
  }

  trend({ index }: CatalogStream): number | undefined {
    return this.rates.trend(index, this.#now);
  }

  parts(): Part[] {
    return [this.catalogue.part("catalogue"), this.rates.part("rates", this.catalogue.size)];
  }

  save(): string {
    return JSON.stringify([this.rates.save(), this.#now]) + textOf(...this.parts().map(bytesOf));
  }

  static copy(from: Live): Live {
    const live = new Live();
    live.rates.load(JSON.parse(JSON.stringify(from.rates.save())));
    copyParts(from.parts(), [
      ["catalogue", live.catalogue.reader("catalogue")],
      ["rates", live.rates.reader("rates", () => live.catalogue.size)],
    ]);
    live.#now = from.#now;
    return live;
  }
}

const act = (kind: string, time: number, user: string, stream: string) =>
  ({
    kind,
    time,
    user,
    stream,
    ...(kind === "gift" && { amount: 1 }),
    ...(kind === "watch" && { watchMs: 1 }),
  }) as LiveEvent;

/** The events since the last time that the stream went on air; undefined when it is off air. */
function sinceOnAir(log: readonly LiveEvent[], stream: string): LiveEvent[] | undefined {
  let since: LiveEvent[] | undefined;
  for (const event of log) {
    if (!("stream" in event) || event.stream !== stream) continue;
    if (event.kind === "on_air") since ??= [event];
    else if (event.kind === "off_air") since = undefined;
    else since?.push(event);
  }
  return since;
}

/** Counts all events of the window anew: one for each user, 10 s and rate, over the whole log. */
function naiveRate(log: readonly LiveEvent[], stream: string, name: RateName, now: number): number | undefined {
  const counted: readonly string[] = COUNTED[name];
  const since = sinceOnAir(log, stream)!;
  const startedAt = since[0]!.time;
  const live = new Set<string>();
  let isKnown = false;
  for (const event of log) {
    if (event.kind === "on_air") live.add(event.stream);
    else if (event.kind === "off_air") live.delete(event.stream);
    else if (counted.includes(event.kind) && "stream" in event && live.has(event.stream)) isKnown = true;
  }
  if (!isKnown || now - startedAt < 10_000) return undefined;
  const first = Math.floor(now / 10_000) * 10_000 - 50_000;
  const firsts = new Map<string, LiveEvent>();
  const lives = new Set<string>();
  // A user counts once in these 10 s, even when the stream went off air and on between.
  for (const event of log) {
    if (event.kind === "on_air") lives.add(event.stream);
    else if (event.kind === "off_air") lives.delete(event.stream);
    else if (counted.includes(event.kind) && "user" in event && "stream" in event && lives.has(event.stream)) {
      const key = `${event.user} ${event.stream} ${Math.floor(event.time / 10_000)}`;
      if (!firsts.has(key)) firsts.set(key, event);
    }
  }
  const own = [...firsts.values()].filter((event) => since.includes(event) && event.time >= first);
  return (own.length * MINUTE) / (now - Math.max(first, startedAt));
}

/** Goes through all updates since the stream went on air. */
function naiveTrend(log: readonly LiveEvent[], stream: string, now: number): number | undefined {
  const updates = sinceOnAir(log, stream)!.filter((event) => event.kind === "update");
  const marks: typeof updates = [];
  for (const update of updates) {
    if (marks.length === 0 || update.time - marks.at(-1)!.time >= 30_000) marks.push(update);
  }
  const from = marks.at(-2);
  if (from === undefined) return undefined;
  return ((log1p(updates.at(-1)!.viewers!) - log1p(from.viewers!)) * MINUTE) / (now - from.time);
}

function expectAsNaive(live: Live, log: readonly LiveEvent[], now: number): void {
  for (const stream of live.catalogue) {
    for (const name of Object.keys(COUNTED) as RateName[]) {
      expect(live.read(stream, name), `${name} of ${stream.id} at ${now}`).toBe(naiveRate(log, stream.id, name, now));
    }
    expect(live.trend(stream)).toBe(naiveTrend(log, stream.id, now));
  }
}

const step = fc.record({
  dt: fc.oneof(fc.constant(0), fc.nat(3000), fc.nat(30_000), fc.constant(10_000), fc.constant(75_000)),
  what: fc.constantFrom(...KINDS, ...KINDS, "on_air", "update", "update", "off_air", "read"),
  user: fc.nat(3),
  stream: fc.nat(2),
  viewers: fc.nat(500),
});

describe("rates", () => {
  test("agree with a twin that counts all events of the window anew", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), fc.nat(30_000), (steps, from) => {
        let live = new Live();
        const log: LiveEvent[] = [];
        let now = from;
        for (const { dt, what, user, stream, viewers } of steps) {
          now += dt;
          const id = `s${stream}`;
          if (what === "read") {
            live.advance(now);
            expectAsNaive(live, log, now);
            const copy = Live.copy(live);
            expect(copy.save()).toEqual(live.save());
            live = copy;
            continue;
          }
          const event: LiveEvent =
            what === "on_air"
              ? onAir(id, { time: now })
              : what === "off_air"
                ? { kind: what, time: now, stream: id }
                : what === "update"
                  ? { kind: what, time: now, stream: id, viewers }
                  : act(what, now, `u${user}`, id);
          log.push(event);
          live.feedback(event);
        }
        expectAsNaive(live, log, Math.max(now, 0));
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  test("one user who floods a stream counts for at most one event in 10 s", () => {
    const live = new Live();
    live.feedback(onAir("a"));
    for (let time = 60_000; time < 120_000; time += 5) live.feedback(act("comment", time, "loud", "a"));
    live.advance(119_999);
    expect(live.rate("a", "commentRate")).toBeCloseTo(6, 3);
    for (let user = 0; user < 100; user++) live.feedback(act("comment", 119_999, `u${user}`, "a"));
    expect(live.rate("a", "commentRate")).toBeCloseTo(106, 1);
  });

  test("ten thousand users in 10 s all count, whatever their names", () => {
    const live = new Live();
    live.feedback(onAir("a"));
    live.feedback(onAir("ab"));
    const random = new Random(1);
    const name = (i: number) => `${"b".repeat(i % 3)}${i}-${random.below(10)}`;
    for (let i = 0; i < 10_000; i++) live.feedback(act("click", 20_000, name(i), i % 2 === 0 ? "a" : "ab"));
    expect(live.rate("a", "joinRate")).toBe(5000 * 3);
    expect(live.rate("ab", "joinRate")).toBe(5000 * 3);
  });

  test("are unknown before the first events, and fade to 0 afterwards", () => {
    const live = new Live();
    live.feedback(onAir("a", { time: 1000 }));
    const read = () => ({
      joinRate: live.rate("a", "joinRate"),
      giftRate: live.rate("a", "giftRate"),
      viewerTrend: live.trend(live.catalogue.get("a")!),
    });
    live.feedback(act("click", 2000, "u", "a"));
    expect(read()).toEqual({ joinRate: undefined, giftRate: undefined, viewerTrend: undefined });
    live.advance(21_000);
    expect(read()).toEqual({ joinRate: 3, giftRate: undefined, viewerTrend: undefined });
    live.feedback({ kind: "update", time: 21_000, stream: "a", viewers: 9 });
    live.feedback({ kind: "update", time: 81_000, stream: "a", viewers: 99 });
    expect(read()).toEqual({ joinRate: 0, giftRate: undefined, viewerTrend: log1p(99) - log1p(9) });
    live.advance(1e300);
    expect(read().joinRate).toBe(0);
    expect(read().viewerTrend).toBeCloseTo(0, 12);
  });
});
