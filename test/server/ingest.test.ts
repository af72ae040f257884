import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventError, type LiveEvent, type Receipt, takeEach } from "../../src/protocol/index.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { type IngestAnswer, type IngestOptions, ingest } from "../../src/server/ingest.js";
import { cut, utf8 } from "../support/pieces.js";
import { turn } from "../support/waiting.js";

const LINES = "application/x-ndjson";
const JSON_TYPE = "application/json";

const click = (i: number): LiveEvent => ({ kind: "click", id: `e${i}`, time: i, user: "u", stream: "s" });
const lines = (events: readonly object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join("");

/** A door, and what went through. */
function door(options: Partial<IngestOptions> = {}) {
  const taken: LiveEvent[] = [];
  const handle = ingest({ sink: (events) => void taken.push(...events), ...options });
  const post = async (body: BodyInit | Uint8Array, type: string | null, headers: Record<string, string> = {}) => {
    const all = { ...headers, ...(type === null ? {} : { "content-type": type }) };
    const init = { method: "POST", headers: all, body: body as BodyInit, duplex: "half" };
    const response = await handle(new Request("http://localhost/events", init));
    const said = (await response.json()) as IngestAnswer & { error?: object };
    return { status: response.status, headers: response.headers, ...said };
  };
  return { taken, handle, post };
}

describe("a body", () => {
  test("is one event, an array, or lines, blank ones among them", async () => {
    const { taken, post } = door();
    const none = { duplicates: 0, rejected: 0, faults: [] };
    expect(await post(JSON.stringify(click(1)), JSON_TYPE)).toMatchObject({ status: 200, accepted: 1, ...none });
    const array = JSON.stringify([click(2), click(3)]);
    expect(await post(array, "Application/JSON; charset=UTF-8")).toMatchObject({ status: 200, accepted: 2 });
    expect(await post(`\n${lines([click(4), click(5)])}\r\n`, LINES)).toMatchObject({ accepted: 2 });
    expect(await post(lines([click(6)]).trimEnd(), "application/jsonl")).toMatchObject({ accepted: 1 });
    expect(await post("", LINES)).toMatchObject({ status: 200, accepted: 0 });
    expect(await post("[]", JSON_TYPE)).toMatchObject({ status: 200, accepted: 0 });
    expect(taken).toEqual([1, 2, 3, 4, 5, 6].map(click));
  });

  test("is the same wherever it is cut, plain and gzip", async () => {
    const text = utf8(lines([click(1), { ...click(2), user: "ü😀" }, click(3)]));
    const run = async (bytes: Uint8Array, seed: number, headers: Record<string, string>) => {
      const { taken, post } = door();
      const pieces = cut(bytes, seed, 20).values();
      const body = new ReadableStream({
        pull(controller) {
          const { done, value } = pieces.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
      expect(await post(body, LINES, headers)).toMatchObject({ status: 200, accepted: 3 });
      expect(taken.map(({ id }) => id)).toEqual(["e1", "e2", "e3"]);
    };
    for (let seed = 0; seed < 20; seed++) {
      await run(text, seed, {});
      await run(gzipSync(text), seed, { "content-encoding": "gzip" });
    }
  });

  test("with one invalid event is rejected whole with onInvalid: refuse, with its line or index and its path", async () => {
    const { taken, post } = door({ onInvalid: "refuse" });
    const wrong = { ...click(2), user: "" };
    const message = '"user" must be a string of 1 to 256 characters, got ""';
    const refused = (where: object, field: string, message: string) => ({
      status: 400,
      error: { ...where, field, message },
    });
    expect(await post(lines([click(1), {}, wrong]), LINES)).toMatchObject({ status: 400, error: { line: 2 } });
    expect(await post(lines([click(1), wrong]), LINES)).toMatchObject(refused({ line: 2 }, "user", message));
    const array = JSON.stringify([click(1), wrong]);
    expect(await post(array, JSON_TYPE)).toMatchObject(refused({ index: 1 }, "user", message));
    expect(await post(JSON.stringify(wrong), JSON_TYPE)).toMatchObject(refused({}, "user", message));
    expect(await post("{", LINES)).toMatchObject(refused({ line: 1 }, "", "must be one JSON object"));
    expect(await post("{", JSON_TYPE)).toMatchObject(
      refused({}, "", "the body must be JSON in UTF-8, nested at most 8 deep"),
    );
    expect(await post(Uint8Array.of(0xff, 0x7b), JSON_TYPE)).toMatchObject({ status: 400 });
    const broken = Uint8Array.from([...utf8(lines([click(1)])), 0xff, 10]);
    expect(await post(broken, LINES)).toMatchObject(refused({ line: 2 }, "", "must be UTF-8 text"));
    expect(taken).toEqual([]);
  });

  test("loses only its invalid events", async () => {
    const { taken, post } = door();
    const said = await post(lines([click(1), { ...click(2), time: -1 }, click(3)]), LINES);
    const faults = [
      { line: 2, answer: "invalid", field: "time", message: '"time" must be a finite number >= 0, got -1' },
    ];
    expect(said).toMatchObject({ status: 200, accepted: 2, duplicates: 0, rejected: 1, faults });
    expect(taken).toEqual([click(1), click(3)]);
    const many = await post(lines(Array(300).fill({})), LINES);
    expect(many).toMatchObject({ status: 400, accepted: 0, rejected: 300, error: { line: 1, field: "kind" } });
    expect(many.faults.length).toBe(300);
  });

  test("that is too large or holds too much is not read to its end", async () => {
    const { taken, post } = door({ maxBytes: 1000, maxEvents: 3 });
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(utf8(" ".repeat(100)));
      },
    });
    const tooLarge = { status: 413, error: { field: "", message: "the body must have at most 1000 bytes" } };
    expect(await post(endless, LINES)).toMatchObject(tooLarge);
    expect(pulled).toBeLessThan(40);
    expect(await post("x", LINES, { "content-length": "1001" })).toMatchObject(tooLarge);
    const bomb = gzipSync(utf8("\n".repeat(900_000)));
    expect(bomb.length).toBeLessThan(1000);
    expect(await post(bomb, LINES, { "content-encoding": "gzip" })).toMatchObject(tooLarge);
    expect(await post(lines([1, 2, 3].map(click)), LINES)).toMatchObject({ status: 200 });
    for (const type of [LINES, JSON_TYPE]) {
      const four = [5, 6, 7, 8].map(click);
      const said = await post(type === LINES ? lines(four) : JSON.stringify(four), type);
      expect(said).toMatchObject({ status: 413, error: { message: "a request must have at most 3 events" } });
    }
    expect(taken.length).toBe(3);
  });

  test("of deep nesting or blank lines is refused before work", async () => {
    const { post } = door({ maxEvents: 10 });
    const deep = { status: 400, error: { message: "the body must be JSON in UTF-8, nested at most 8 deep" } };
    for (const open of ["[", '{"a":', '[["]]]]]]]]]",'])
      expect(await post(open.repeat(1e5), JSON_TYPE)).toMatchObject(deep);
    const text = '["[[[[[[[[[[[[", "\\"[[[[[[[[["]';
    expect(await post(text, JSON_TYPE)).toMatchObject({ status: 400, rejected: 2 });
    const blank = { status: 413, error: { message: "a request must have at most 10 blank lines" } };
    expect(await post("\n".repeat(1e5), LINES)).toMatchObject(blank);
    expect(await post(`[${"0,".repeat(20)}0]`, JSON_TYPE)).toMatchObject({ status: 413 });
  });

  test("that stops arriving is given up", async () => {
    const { taken, post } = door({ bodyTimeoutMs: 20 });
    const stalled = new ReadableStream({ start: (controller) => controller.enqueue(utf8(lines([click(1)]))) });
    const said = { status: 408, error: { message: "the body must arrive within 20 ms" } };
    expect(await post(stalled, LINES)).toMatchObject(said);
    expect(taken).toEqual([]);
  });

  test("of another method, type or encoding is rejected, with the accepted ones", async () => {
    const { handle, post } = door();
    const get = await handle(new Request("http://localhost/events"));
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    for (const type of ["text/plain", "application/jsonp", "application/json; charset=latin1"]) {
      expect((await post("{}", type)).status, type).toBe(415);
    }
    const accepted = (await post("{}", "text/csv")).headers.get("accept-post");
    expect(accepted).toBe("application/json, application/x-ndjson");
    expect((await post(utf8("{}"), null)).status).toBe(415);
    const other = await post("{}", JSON_TYPE, { "content-encoding": "br" });
    expect([other.status, other.headers.get("accept-encoding")]).toEqual([415, "gzip, identity"]);
    const cutShort = gzipSync(utf8(lines([click(1), click(2)]))).subarray(0, 20);
    for (const bytes of [cutShort, utf8("no gzip")]) {
      expect(await post(bytes, LINES, { "content-encoding": "gzip" })).toMatchObject({ status: 400 });
    }
  });
});

describe("delivery", () => {
  test("at least once changes nothing more than once, whatever comes again", async () => {
    const batches = fc.array(fc.array(fc.nat(30), { maxLength: 8 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(batches, async (ids) => {
        const { taken, post } = door();
        for (const batch of ids) {
          const { accepted, duplicates } = await post(lines(batch.map(click)), LINES);
          expect(accepted + duplicates).toBe(batch.length);
        }
        expect(taken.map(({ id }) => id)).toEqual([...new Set(ids.flat())].map((i) => `e${i}`));
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test("without ids takes every event, and remembers at most window ids", async () => {
    const { taken, post } = door({ window: 2 });
    const { id: _, ...nameless } = click(1);
    await post(lines([nameless, nameless]), LINES);
    expect(taken.length).toBe(2);
    await post(lines([1, 2, 3, 4, 5].map(click)), LINES);
    expect(await post(lines([click(5)]), LINES)).toMatchObject({ duplicates: 1 });
    expect(await post(lines([click(1)]), LINES)).toMatchObject({ accepted: 1 });
  });

  test("is answered after the sink, one request at a time; a request can be repeated after the sink threw", async () => {
    const errors: unknown[] = [];
    const calls: string[] = [];
    let isBroken = true;
    const sink = async (events: LiveEvent[]) => {
      calls.push(`${events.map(({ id }) => id)} in`);
      await turn();
      calls.push("out");
      if (isBroken) throw new Error("the disk is full of secrets");
    };
    const { post } = door({ sink, onError: (error) => errors.push(error) });
    const both = await Promise.all([post(lines([click(1)]), LINES), post(lines([click(1)]), LINES)]);
    expect(both.map(({ status }) => status)).toEqual([503, 503]);
    expect(JSON.stringify(both)).not.toContain("secrets");
    expect(errors.length).toBe(2);
    isBroken = false;
    const again = await Promise.all([post(lines([click(1)]), LINES), post(lines([click(1)]), LINES)]);
    expect(again.map(({ accepted }) => accepted)).toEqual([1, 0]);
    expect(calls).toEqual(["e1 in", "out", "e1 in", "out", "e1 in", "out"]);
  });

  test("lets a reader see at once what it wrote", async () => {
    const recommender = new Recommender({ seed: 1 });
    const sink = (events: LiveEvent[]) => {
      for (const event of events) recommender.feedback(event);
    };
    const { post } = door({ sink });
    await post(JSON.stringify({ kind: "on_air", time: 1, stream: "s", streamer: "a", category: "c" }), JSON_TYPE);
    expect(recommender.recommend({ user: "u", now: 1, k: 1 }).slate).toEqual(["s"]);
    recommender.dispose();
  });
});

describe("each event is answered", () => {
  test("where it is dated ahead of the host's time", async () => {
    const { taken, post } = door({ now: () => 1000, maxAheadMs: 10 });
    const ahead = { ...click(2), time: 1011 };
    const said = await post(JSON.stringify([click(1), ahead, { ...click(3), time: 1010 }]), JSON_TYPE);
    const message = '"time" must be at most 1010, the host\'s time and a little more, got 1011';
    const faults = [{ index: 1, answer: "invalid", field: "time", message }];
    expect(said).toMatchObject({ status: 200, accepted: 2, rejected: 1, faults });
    expect(taken.map(({ id }) => id)).toEqual(["e1", "e3"]);
    const microseconds = await post(JSON.stringify({ ...click(4), time: 1e6 }), JSON_TYPE);
    expect(microseconds).toMatchObject({ status: 400, error: { field: "time" } });
    expect(microseconds.faults[0]!.message).toContain("(microseconds?)");
  });

  test("so that a clock ahead, as far as it may be, keeps nobody's late events out of a recommender", async () => {
    const now = 1e7;
    const recommender = new Recommender({ seed: 1 });
    const { post } = door({ now: () => now, sink: (events) => takeEach(recommender, events, now) });
    const at = (ahead: number, user: string) => JSON.stringify({ ...click(1), id: user, user, time: now + ahead });
    await post(JSON.stringify({ kind: "on_air", time: now, stream: "s", streamer: "a", category: "c" }), JSON_TYPE);
    expect(await post(at(5 * 60_000 + 1, "far"), JSON_TYPE)).toMatchObject({ rejected: 1 });
    expect(await post(at(5 * 60_000, "ahead"), JSON_TYPE)).toMatchObject({ accepted: 1 });
    expect(await post(at(-60 * 60_000, "late"), JSON_TYPE)).toMatchObject({ accepted: 1 });
    recommender.dispose();
  });

  test("where another one came under its id, in this batch or an earlier one", async () => {
    const { taken, post } = door();
    const other = { ...click(1), stream: "other" };
    const conflict = { answer: "conflict", field: "id" };
    const message = '"id" must be unique to an event of a sender, and another event came as "e1"';
    const first = await post(lines([click(1), other]), LINES);
    expect(first).toMatchObject({ status: 200, accepted: 1, rejected: 1, faults: [{ ...conflict, line: 2, message }] });
    expect(await post(lines([other]), LINES)).toMatchObject({ status: 422, error: conflict });
    const both = await post(lines([click(1), other]), LINES);
    expect(both).toMatchObject({ status: 200, duplicates: 1, rejected: 1 });
    expect(both.faults.map(({ answer }) => answer)).toEqual(["duplicate", "conflict"]);
    // An id that somebody else has guessed.
    expect(await post(lines([{ ...click(1), user: "v" }]), LINES)).toMatchObject({ accepted: 1 });
    expect(taken.length).toBe(2);
  });

  test("by the sink's receipts, which are final", async () => {
    const calls: (string | undefined)[][] = [];
    const receipts: Receipt[] = [
      "taken",
      "late",
      "duplicate",
      new EventError("time", "too far"),
      new EventError("id", "no"),
    ];
    const sink = (events: LiveEvent[]) => {
      calls.push(events.map(({ id }) => id));
      return receipts.slice(0, events.length);
    };
    const { post } = door({ sink });
    const batch = lines([1, 2, 3, 4, 5].map(click));
    const said = await post(batch, LINES);
    expect(said).toMatchObject({ status: 200, accepted: 1, late: 1, duplicates: 1, rejected: 2 });
    expect(said.faults.map(({ line, answer }) => [line, answer])).toEqual([
      [2, "late"],
      [3, "duplicate"],
      [4, "invalid"],
      [5, "conflict"],
    ]);
    expect(await post(batch, LINES)).toMatchObject({ status: 200, accepted: 0, duplicates: 5 });
    expect(calls).toEqual([["e1", "e2", "e3", "e4", "e5"]]);
  });

  test("by the number that the sink took: only the others may come again", async () => {
    const taken: LiveEvent[] = [];
    const sink = (events: LiveEvent[]) => taken.push(...events.slice(0, 2)) && Math.min(2, events.length);
    const { post } = door({ sink });
    const batch = lines([1, 2, 3].map(click));
    const first = await post(batch, LINES);
    expect(first).toMatchObject({
      status: 503,
      accepted: 2,
      error: { message: "1 events were not taken; send them again" },
    });
    expect(first.headers.get("retry-after")).toBe("1");
    expect(await post(batch, LINES)).toMatchObject({ status: 200, accepted: 1, duplicates: 2 });
    expect(taken.map(({ id }) => id)).toEqual(["e1", "e2", "e3"]);
  });

  test("with 503 while a sink that never settles holds the others up", async () => {
    const { post } = door({ sink: () => new Promise<void>(() => {}), maxRequests: 3 });
    const waiting = [1, 2, 3].map((i) => post(lines([click(i)]), LINES));
    const said = await post(lines([click(4)]), LINES);
    expect(said).toMatchObject({ status: 503, error: { message: "too many requests wait; send the events again" } });
    expect(said.headers.get("retry-after")).toBe("1");
    expect(await Promise.race([...waiting, turn().then(() => "waiting")])).toBe("waiting");
  });
});

test("an unknown option is refused", () => {
  expect(() => ingest({} as IngestOptions)).toThrow('"sink" must be a function, got undefined');
  expect(() => ingest({ sink: () => {}, maxBytes: 0 })).toThrow('"maxBytes" must be');
  expect(() => ingest({ sink: () => {}, max: 1 } as IngestOptions)).toThrow('"max" is not an option');
});
