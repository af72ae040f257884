import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LiveEvent } from "../../src/protocol/events.js";
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

  test("with one invalid event is rejected whole, with its line or index and its path", async () => {
    const { taken, post } = door();
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
    expect(await post("{", JSON_TYPE)).toMatchObject(refused({}, "", "the body must be JSON in UTF-8"));
    expect(await post(Uint8Array.of(0xff, 0x7b), JSON_TYPE)).toMatchObject({ status: 400 });
    const broken = Uint8Array.from([...utf8(lines([click(1)])), 0xff, 10]);
    expect(await post(broken, LINES)).toMatchObject(refused({ line: 2 }, "", "must be UTF-8 text"));
    expect(taken).toEqual([]);
  });

  test("loses only its invalid events with onInvalid: skip", async () => {
    const { taken, post } = door({ onInvalid: "skip" });
    const said = await post(lines([click(1), { ...click(2), time: -1 }, click(3)]), LINES);
    const faults = [{ line: 2, field: "time", message: '"time" must be a finite number >= 0, got -1' }];
    expect(said).toMatchObject({ status: 200, accepted: 2, duplicates: 0, rejected: 1, faults });
    expect(taken).toEqual([click(1), click(3)]);
    const many = await post(lines(Array(300).fill({})), LINES);
    expect(many).toMatchObject({ accepted: 0, rejected: 300 });
    expect(many.faults.length).toBe(100);
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

test("an unknown option is refused", () => {
  expect(() => ingest({} as IngestOptions)).toThrow('"sink" must be a function, got undefined');
  expect(() => ingest({ sink: () => {}, maxBytes: 0 })).toThrow('"maxBytes" must be');
  expect(() => ingest({ sink: () => {}, max: 1 } as IngestOptions)).toThrow('"max" is not an option');
});
