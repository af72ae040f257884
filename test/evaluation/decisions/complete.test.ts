import { describe, expect, test } from "vitest";
import {
  type CompleteLogOptions,
  completeLog,
  isEvent,
  LogCompleter,
  type LogEntry,
} from "../../../src/evaluation/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/index.js";
import type { LoggedDecision } from "../../../src/protocol/schema.js";
import { madeUpLog } from "../../support/logs.js";
import { all } from "../../support/pieces.js";

type Options = Partial<CompleteLogOptions>;

const complete = (log: readonly LiveEvent[], options: Options = {}) => all<LogEntry>(completeLog(log, options));
const decisionsOf = (entries: LogEntry[]) => entries.filter((entry): entry is LoggedDecision => !isEvent(entry));
const ofKind = <K extends LiveEvent["kind"]>(entries: LogEntry[], kind: K) =>
  entries.filter((entry): entry is LiveEvent & { kind: K } => isEvent(entry) && entry.kind === kind);

/** Clicks of `users` users in `streams` streams, one a minute, each user in a stream of an own turn. */
const clicks = (count: number, users = 5, streams = 4): LiveEvent[] =>
  Array.from({ length: count }, (_, i) => {
    return { kind: "click", time: i * MINUTE, user: `u${i % users}`, stream: `s${(i * 7) % streams}` };
  });

describe("a log that has all goes through", () => {
  const log = madeUpLog(25, 4, 3);

  test("as it is, with its decisions", async () => {
    const entries = await complete(log);
    expect(entries.filter(isEvent)).toEqual(log);
    const named = new Set(ofKind(log, "impression").map(({ decision }) => decision));
    expect(
      decisionsOf(entries)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...named].sort());
  });

  test("with no decisions where none are wanted", async () => {
    expect(await complete(log, { slates: "none" })).toEqual(log);
  });
});

describe("impressions without decisions", () => {
  const shown = (time: number, stream: string, user = "u"): LiveEvent => ({ kind: "impression", time, user, stream });
  const click = (time: number, stream: string): LiveEvent => ({ kind: "click", time, user: "u", stream });

  test("form a slate until the user acts, a stream comes again, or a minute is over", async () => {
    const log = [
      ...[shown(0, "a"), shown(1, "b"), shown(1, "z", "v"), click(5, "b")],
      ...[shown(10, "a"), shown(11, "c"), shown(12, "a")],
      shown(80_000, "d"),
    ];
    const entries = await complete(log, { onAir: "events" });
    const slates = decisionsOf(entries).map(({ user, time, slate }) => [user, time, slate]);
    expect(slates).toEqual([
      ["u", 0, ["a", "b"]],
      ["v", 1, ["z"]],
      ["u", 10, ["a", "c"]],
      ["u", 12, ["a"]],
      ["u", 80_000, ["d"]],
    ]);
    const [first] = decisionsOf(entries);
    expect(ofKind(entries, "click")[0]!.decision).toBe(first!.id);
    expect(ofKind(entries, "impression").every(({ decision }) => decision !== undefined)).toBe(true);
  });
});

describe("clicks alone", () => {
  test("bring streams on air with the first of them, and off after a gap", async () => {
    const log: LiveEvent[] = [
      ...clicks(40),
      { kind: "click", time: 3 * DAY, user: "u0", stream: "s0" },
      { kind: "click", time: 3 * DAY + HOUR, user: "u1", stream: "late" },
    ];
    const entries = await complete(log, { gapMs: HOUR });
    expect(ofKind(entries, "on_air").map(({ stream, time }) => [stream, time])).toEqual([
      ["s0", 0],
      ["s3", MINUTE],
      ["s2", 2 * MINUTE],
      ["s1", 3 * MINUTE],
      ["s0", 3 * DAY],
      ["late", 3 * DAY + HOUR],
    ]);
    const last = (stream: string) =>
      Math.max(...log.flatMap((e) => ("stream" in e && e.stream === stream && e.time < DAY ? [e.time] : [])));
    for (const { stream, time } of ofKind(entries, "off_air").slice(0, 4)) expect(time).toBe(last(stream) + HOUR);
    expect(ofKind(entries, "off_air").length).toBeGreaterThanOrEqual(4);
    const times = entries.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("of a catalogue never go off", async () => {
    const entries = await complete([...clicks(20), { kind: "click", time: 900 * DAY, user: "u1", stream: "s1" }], {
      onAir: "catalogue",
    });
    expect(ofKind(entries, "on_air")).toHaveLength(4);
    expect(ofKind(entries, "off_air")).toHaveLength(0);
    const viewers = ofKind(entries, "update").filter(({ stream }) => stream === "s1");
    expect(viewers.at(-1)!.viewers).toBe(6);
  });

  test("get a slate each: others on air, and last the stream that was entered, which names it", async () => {
    const entries = await complete(clicks(60), { negatives: 2 });
    const onAir = new Set<string>();
    const known = new Map<string, LoggedDecision>();
    let decided = 0;
    for (const entry of entries) {
      if (!isEvent(entry)) {
        for (const stream of entry.slate) expect(onAir.has(stream)).toBe(true);
        expect(new Set(entry.slate).size).toBe(entry.slate.length);
        expect(entry.slate.length).toBeLessThanOrEqual(3);
        known.set(entry.id, entry);
      } else if (entry.kind === "on_air") onAir.add(entry.stream);
      else if (entry.kind === "click" && entry.decision !== undefined) {
        const { user, time, slate } = known.get(entry.decision)!;
        expect([user, time, slate.at(-1)]).toEqual([entry.user, entry.time, entry.stream]);
        decided++;
      }
    }
    // Four streams begin with their click: nobody chose them from anything.
    expect(decided).toBe(56);
  });

  test("draw each other stream equally often, and the same with the same seed", async () => {
    const log = clicks(6000, 5, 9);
    const entries = await complete(log, { negatives: 3, seed: 4, gapMs: DAY });
    const counts = new Map<string, number>();
    const full = decisionsOf(entries).filter(({ slate }) => slate.length === 4);
    for (const { slate } of full) for (const id of slate.slice(0, -1)) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect(counts.size).toBe(9);
    // Each of 9 is drawn in 3 of 8 where another is entered: 2000 of 6000, with a standard deviation of 36.
    for (const [id, n] of counts) expect(Math.abs(n - full.length / 3), id).toBeLessThan(36 * 4.5);
    expect(await complete(log, { negatives: 3, seed: 4, gapMs: DAY })).toEqual(entries);
    expect(await complete(log, { negatives: 3, seed: 5, gapMs: DAY })).not.toEqual(entries);
  });

  test("have slates that were passed on request", async () => {
    const entries = await complete(clicks(40), { negatives: 2, passed: 2 });
    const drawn = ofKind(entries, "click").filter(({ decision }) => decision !== undefined);
    expect(decisionsOf(entries)).toHaveLength(3 * drawn.length);
  });
});

describe("watches alone", () => {
  const log: LiveEvent[] = Array.from({ length: 50 }, (_, i) => {
    const watchMs = ((i % 5) + 1) * 4 * MINUTE;
    return { kind: "watch", time: 2 * HOUR + i * 3 * MINUTE, user: `u${i % 7}`, stream: `s${i % 4}`, watchMs };
  });

  test("get the click with which each begins, at its time", async () => {
    const entries = await complete(log);
    const begun = ofKind(entries, "click");
    for (const watch of ofKind(entries, "watch")) {
      const start = watch.time - watch.watchMs;
      const own = begun.filter(
        ({ user, stream, time }) => user === watch.user && stream === watch.stream && time <= watch.time,
      );
      expect(own.length).toBeGreaterThan(0);
      // Another visit of the same stream within half an hour is the same.
      expect(own.some(({ time }) => time === start || start - time < 2 * HOUR)).toBe(true);
    }
    const times = entries.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(entries.filter((entry) => isEvent(entry) && entry.kind === "watch")).toHaveLength(50);
  });

  test("longer than it looks back begin where it still can put them", async () => {
    const entries = await complete(log, { lookMs: 5 * MINUTE });
    const times = entries.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(decisionsOf(entries).length).toBeGreaterThan(10);
  });
});

test("ratings and purchases, and nothing live, make a catalogue; watching and chatting do not", () => {
  const contentsOf = (...kinds: string[]) => {
    const completer = new LogCompleter(() => {});
    for (const [i, kind] of kinds.entries()) {
      completer.push({ kind, time: i, user: "u", stream: "s", watchMs: 1, amount: 1, rating: 1 } as LiveEvent);
    }
    completer.end();
    return completer.contents!.onAir;
  };
  expect(contentsOf("rating")).toBe("catalogue");
  expect(contentsOf("click", "purchase")).toBe("catalogue");
  expect(contentsOf("purchase", "comment")).toBe("inferred");
  expect(contentsOf("watch")).toBe("inferred");
  expect(contentsOf("click")).toBe("inferred");
});

test("comments alone are visits: the first of a user in a stream for half an hour", async () => {
  const at = (minutes: number, stream: string): LiveEvent => {
    return { kind: "comment", time: minutes * MINUTE, user: "u", stream };
  };
  const log = [at(0, "a"), at(1, "b"), at(20, "a"), at(45, "a"), at(90, "a")];
  const entries = await complete(log);
  expect(ofKind(entries, "click").map(({ time, stream }) => [time / MINUTE, stream])).toEqual([
    [0, "a"],
    [1, "b"],
    [90, "a"],
  ]);
});

test("facts of streams are what they go on air with", async () => {
  const facts = (stream: string) =>
    stream === "s0" ? { category: "chess", title: "Endgames", streamer: "ann" } : undefined;
  const log: LiveEvent[] = [
    { kind: "update", time: 0, stream: "s1", category: "music", tags: ["jazz"] },
    ...clicks(20),
  ];
  const entries = await complete(log, { facts });
  const onAir = new Map(ofKind(entries, "on_air").map((event) => [event.stream, event]));
  expect(onAir.get("s0")).toMatchObject({ category: "chess", title: "Endgames", streamer: "ann" });
  expect(onAir.get("s1")).toMatchObject({ category: "music", tags: ["jazz"], streamer: "s1" });
  expect(onAir.get("s2")).toMatchObject({ category: "unknown", streamer: "s2" });
});

test("holds no more events than its window", () => {
  let emitted = 0;
  const completer = new LogCompleter(() => emitted++, { window: 16, head: 1000 });
  for (let i = 0; i < 200; i++) {
    completer.push({ kind: "watch", time: i, user: `u${i}`, stream: `s${i % 3}`, watchMs: 1 });
  }
  expect(emitted).toBeGreaterThan(150);
});

test("refuses options that are unknown or wrong", () => {
  expect(() => new LogCompleter(() => {}, { negatives: 0 })).toThrow('"negatives" must be an integer >= 1, got 0');
  expect(() => new LogCompleter(() => {}, { onAir: "never" as "auto" })).toThrow('"onAir" must be');
  expect(() => new LogCompleter(() => {}, { other: 1 } as Options)).toThrow('"other" is not an option');
});

describe("watches that are dated by their begin", () => {
  const visit = (i: number): LiveEvent[] => {
    const about = { time: i * MINUTE, user: `u${i % 5}`, stream: `s${(i * 7) % 4}` };
    return [
      { kind: "click", ...about },
      { kind: "watch", ...about, watchMs: i === 3 ? 100 * HOUR : 90_000 },
    ];
  };

  test("end when they are over, after at most the time that watches are looked for", async () => {
    const log = Array.from({ length: 40 }, (_, i) => visit(i)).flat();
    const completer = new LogCompleter(() => {});
    for (const event of log) completer.push(event);
    completer.end();
    expect(completer.contents!.isWatchAtBegin).toBe(true);
    const entries = await complete(log);
    const watches = ofKind(entries, "watch");
    expect(watches).toHaveLength(40);
    const times = entries.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(watches.at(-1)).toMatchObject({ time: 3 * MINUTE + 4 * HOUR, watchMs: 4 * HOUR, user: "u3" });
    expect(watches[0]).toMatchObject({ time: 90_000, watchMs: 90_000, user: "u0" });
  });

  test("are seen as such by most of them; the others keep their time", async () => {
    const ended = (i: number): LiveEvent[] =>
      visit(i).map((event) =>
        event.kind === "watch" ? { ...event, time: event.time + 30_000, watchMs: 30_000 } : event,
      );
    const log = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? visit(i) : ended(i))).flat();
    expect(ofKind(await complete(log), "watch").map(({ time }) => time)).toEqual(
      ofKind(log, "watch").map(({ time }) => time),
    );
  });
});
