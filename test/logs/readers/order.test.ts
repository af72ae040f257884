import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanEvents } from "../../../src/logs/cleaning/cleaner.js";
import { Batched, inBatches } from "../../../src/logs/readers/batches.js";
import { type BatchSource, mergeBatches } from "../../../src/logs/readers/merge.js";
import { type RunStore, sortEvents } from "../../../src/logs/readers/sort.js";
import { compareEvents } from "../../../src/logs/simultaneous.js";
import { Random } from "../../../src/numeric/index.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { all } from "../../support/pieces.js";

const user = fc.constantFrom("a", "b");
const stream = fc.constantFrom("x", "y");
const time = fc.nat(12);
const event: fc.Arbitrary<LiveEvent> = fc.oneof(
  fc.record({ kind: fc.constant("on_air" as const), time, stream, streamer: user, category: user }),
  fc.record({ kind: fc.constant("update" as const), time, stream, viewers: fc.nat(3) }),
  fc.record({ kind: fc.constant("off_air" as const), time, stream }),
  fc.record({ kind: fc.constantFrom("click" as const, "like" as const, "comment" as const), time, user, stream }),
  fc.record({ kind: fc.constant("impression" as const), time, user, stream, position: fc.nat(3) }),
  fc.record({ kind: fc.constant("watch" as const), time, user, stream, watchMs: fc.nat(5) }),
  fc.record({ kind: fc.constant("page_view" as const), time, user, dwellMs: fc.nat(5) }),
);

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = Random.named(seed, "shuffle");
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A store in memory that says what is done with it. */
function stores(): { open: () => RunStore; opened: number; closed: number } {
  const seen = {
    opened: 0,
    closed: 0,
    open: (): RunStore => {
      seen.opened++;
      let bytes = new Uint8Array();
      let isOpen = true;
      return {
        write(more) {
          bytes = Uint8Array.from([...bytes, ...more]);
        },
        read: (from, to) => {
          expect(isOpen).toBe(true);
          return bytes.slice(from, to);
        },
        close() {
          if (isOpen) seen.closed++;
          isOpen = false;
        },
      };
    },
  };
  return seen;
}

describe("simultaneous events", () => {
  test("have one order, which is total but for equal ones", () => {
    fc.assert(
      fc.property(event, event, event, (a, b, c) => {
        expect(Math.sign(compareEvents(a, b))).toBe(-Math.sign(compareEvents(b, a)) + 0);
        if (compareEvents(a, b) <= 0 && compareEvents(b, c) <= 0) expect(compareEvents(a, c)).toBeLessThanOrEqual(0);
        if (compareEvents(a, b) === 0) expect(a).toEqual(b);
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  test("are told as they happen: a stream is there before it changes, a slate is shown before its click", () => {
    const story: LiveEvent[] = [
      { kind: "on_air", time: 1, stream: "s", streamer: "r", category: "c" },
      { kind: "update", time: 1, stream: "s", viewers: 1 },
      { kind: "off_air", time: 1, stream: "s" },
      { kind: "page_view", time: 1, user: "u", dwellMs: 1 },
      { kind: "impression", time: 1, user: "u", stream: "z", decision: "d", position: 0 },
      { kind: "impression", time: 1, user: "u", stream: "s", decision: "d", position: 1 },
      { kind: "click", time: 1, user: "u", stream: "s" },
      { kind: "watch", time: 1, user: "u", stream: "s", watchMs: 5 },
    ];
    for (let seed = 0; seed < 20; seed++) expect(shuffled(story, seed).sort(compareEvents)).toEqual(story);
  });

  test("of a slate without positions stay as they came, for only that says where they stood", () => {
    const slate = ["c", "a", "b"].map(
      (stream): LiveEvent => ({ kind: "impression", time: 1, user: "u", stream, decision: "d" }),
    );
    expect([...slate].sort(compareEvents)).toEqual(slate);
  });

  test("are cleaned into their order where that is wanted, also when some come late", async () => {
    const on: LiveEvent = { kind: "on_air", time: 5, stream: "s", streamer: "r", category: "c" };
    const events: LiveEvent[] = [
      { kind: "click", time: 5, user: "u", stream: "s" },
      { kind: "page_view", time: 9, user: "u", dwellMs: 1 },
      on,
      { kind: "page_view", time: 9, user: "a", dwellMs: 1 },
    ];
    expect(await all(cleanEvents(events))).toHaveLength(3);
    const sorted = [on, events[0]!, events[3]!, events[1]!];
    for (let seed = 0; seed < 10; seed++) {
      expect(await all(cleanEvents(shuffled(events, seed), { simultaneous: "sort" }))).toEqual(sorted);
    }
    await expect(() => cleanEvents([], { simultaneous: "no" as "sort" })).toThrow(
      '"simultaneous" must be "keep" or "sort"',
    );
  });
});

describe("sorting", () => {
  test("gives the order of all, whatever the size of its runs and the number of its passes", async () => {
    const log = fc.array(event, { maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.nat(1000),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 2, max: 5 }),
        async (events, seed, runSize, fanIn) => {
          const store = stores();
          const given = shuffled(events, seed);
          const sorted = await all(sortEvents(given, store.open, { runSize, fanIn }));
          expect(sorted).toEqual([...given].sort(compareEvents));
          expect(sorted).toEqual([...events].sort(compareEvents));
          expect(store.closed).toBe(store.opened);
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  test("writes nowhere what fits into one run", async () => {
    const store = stores();
    const events = Array.from(
      { length: 1000 },
      (_, i): LiveEvent => ({ kind: "off_air", time: 1000 - i, stream: "s" }),
    );
    expect((await all(sortEvents(events, store.open)))[0]!.time).toBe(1);
    expect(store.opened).toBe(0);
  });

  test("gives its store up when the reading ends early, and by an error", async () => {
    const events = Array.from(
      { length: 3000 },
      (_, i): LiveEvent => ({ kind: "off_air", time: 3000 - i, stream: "s" }),
    );
    const left = stores();
    for await (const _ of sortEvents(events, left.open, { runSize: 1000 })) break;
    expect([left.opened, left.closed]).toEqual([1, 1]);
    const failed = stores();
    async function* broken(): AsyncGenerator<LiveEvent> {
      yield* events;
      throw new Error("torn");
    }
    await expect(all(sortEvents(broken(), failed.open, { runSize: 1000 }))).rejects.toThrow("torn");
    expect([failed.opened, failed.closed]).toEqual([1, 1]);
    const passes = stores();
    expect(await all(sortEvents(events, passes.open, { runSize: 1000, fanIn: 2 }))).toHaveLength(3000);
    expect(passes.opened).toBeGreaterThan(5);
    expect(passes.closed).toBe(passes.opened);
    expect(() => sortEvents(events, left.open, { fanIn: 1 })).toThrow('"fanIn" must be an integer in [2, 4096], got 1');
  });
});

function source(events: readonly LiveEvent[], batch: number, opened: () => void = () => {}): BatchSource<LiveEvent> {
  return {
    from: events[0]?.time ?? -Infinity,
    async *open() {
      opened();
      for (let at = 0; at < events.length; at += batch) yield events.slice(at, at + batch);
    },
  };
}

const flat = async (sources: BatchSource<LiveEvent>[]) => (await all(mergeBatches(sources))).flat();

describe("merging", () => {
  test("gives sorted sources in order of time, simultaneous items in the order of the sources", async () => {
    const log = fc.array(event, { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.array(log, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (logs, batch) => {
        const ordered = logs.map((events) => [...events].sort((a, b) => a.time - b.time));
        const expected = ordered.flat().sort((a, b) => a.time - b.time);
        expect(await flat(ordered.map((events) => source(events, batch)))).toEqual(expected);
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test("opens a source when its time has come: one at a time of files of days", async () => {
    let open = 0;
    let most = 0;
    const days = Array.from({ length: 40 }, (_, day): BatchSource<LiveEvent> => {
      const events = Array.from(
        { length: 10 },
        (_, i): LiveEvent => ({ kind: "off_air", time: 100 * day + i, stream: "s" }),
      );
      return {
        from: 100 * day,
        async *open() {
          most = Math.max(most, ++open);
          yield events;
          open--;
        },
      };
    });
    const merged = await flat(shuffled(days, 1));
    expect(merged.map(({ time }) => time)).toEqual(merged.map(({ time }) => time).sort((a, b) => a - b));
    expect(merged).toHaveLength(400);
    expect(most).toBe(1);
  });

  test("refuses more overlapping sources than a process may open", async () => {
    const at = (time: number): LiveEvent => ({ kind: "off_air", time, stream: "s" });
    const sources = (n: number) => Array.from({ length: n }, (_, i) => source([at(i), at(1000)], 2));
    expect(await flat(sources(256))).toHaveLength(512);
    await expect(flat(sources(257))).rejects.toThrow("at most 256 sources must overlap in time");
  });

  test("passes an item that is late in its source on right after the one before it", async () => {
    const at = (time: number, stream: string): LiveEvent => ({ kind: "off_air", time, stream });
    const [one, other] = [
      [at(1, "a"), at(9, "a"), at(3, "a"), at(20, "a")],
      [at(2, "b"), at(10, "b")],
    ];
    const times = (await flat([source(one, 2), source(other, 2)])).map(({ time }) => time);
    expect(times).toEqual([1, 2, 9, 3, 10, 20]);
  });

  test("gives what came before an error, and closes the other sources", async () => {
    let closed = 0;
    const endless: BatchSource<LiveEvent> = {
      from: 0,
      async *open() {
        try {
          for (let time = 0; ; time++) yield [{ kind: "off_air", time, stream: "a" }];
        } finally {
          closed++;
        }
      },
    };
    const torn: BatchSource<LiveEvent> = {
      from: 3,
      async *open() {
        yield [{ kind: "off_air", time: 3, stream: "b" }];
        throw new Error("torn");
      },
    };
    const got: LiveEvent[] = [];
    const read = (async () => {
      for await (const batch of mergeBatches([endless, torn])) got.push(...batch);
    })();
    await expect(read).rejects.toThrow("torn");
    expect(got.map(({ time }) => time)).toEqual([0, 1, 2, 3, 3]);
    expect(closed).toBe(1);
  });
});

describe("batches", () => {
  async function* arrays(): AsyncGenerator<number[]> {
    yield [];
    yield [1, 2];
    yield [];
    yield [3];
  }

  test("are items, one by one, also to those who do not wait, and items are batches", async () => {
    expect(await all(new Batched(arrays()))).toEqual([1, 2, 3]);
    const items = new Batched(arrays());
    const steps = await Promise.all(Array.from({ length: 5 }, () => items.next()));
    expect(steps.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
    const rest = new Batched(arrays());
    await rest.next();
    expect((await all(inBatches(rest))).flat()).toEqual([2, 3]);
    expect((await all(inBatches([1, 2, 3]))).flat()).toEqual([1, 2, 3]);
  });

  test("end their source when they are left", async () => {
    let isOver = false;
    async function* source(): AsyncGenerator<number[]> {
      try {
        for (;;) yield [1, 2];
      } finally {
        isOver = true;
      }
    }
    for await (const one of new Batched(source())) if (one === 2) break;
    expect(isOver).toBe(true);
    await expect(new Batched(source()).throw(new Error("no"))).rejects.toThrow("no");
  });
});
