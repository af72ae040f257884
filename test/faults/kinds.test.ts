/** Inputs of kinds that the fault table of `test/README.md` counts; each test prints how many it tried. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { cleanEvents } from "../../src/logs/index.js";
import { Random } from "../../src/numeric/index.js";
import { type LiveEvent, takeEach } from "../../src/protocol/index.js";
import { Recommender } from "../../src/recommender/index.js";
import { type IngestAnswer, type IngestOptions, ingest } from "../../src/server/index.js";

const NOW = 1e10;
const JSON_TYPE = "application/json";
const click = (i: number): LiveEvent => ({ kind: "click", id: `e${i}`, time: NOW, user: "u", stream: "s" });

type Answer = IngestAnswer & { status: number; error?: object };

function door(options: Partial<IngestOptions> = {}) {
  const handle = ingest({ sink: () => {}, now: () => NOW, ...options });
  return async (body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> => {
    const init = { method: "POST", headers: { "content-type": JSON_TYPE, ...headers }, body, duplex: "half" };
    const response = await handle(new Request("http://x/events", init as RequestInit));
    return { status: response.status, ...((await response.json()) as IngestAnswer) };
  };
}

function platform(): Recommender {
  const recommender = new Recommender({ seed: 1 });
  recommender.feedback({ kind: "on_air", time: NOW, stream: "s", streamer: "a", category: "c" }, NOW);
  return recommender;
}

const BATCHES = 60;

test("batches with duplicates, late, invalid and conflicting events: each is answered, what was taken is final", async () => {
  const random = new Random(1);
  const recommender = platform();
  const taken: LiveEvent[] = [];
  const post = door({
    sink(events) {
      const receipts = takeEach(recommender, events, NOW);
      taken.push(...events.filter((_, i) => receipts[i] === "taken"));
      return receipts;
    },
  });
  for (let i = 0; i < BATCHES; i++) {
    const batch = Array.from({ length: 1 + random.below(40) }, () => {
      const event = click(random.below(200));
      return random.pick<object>([
        event,
        event,
        { ...event, stream: random.pick(["s", "other"]) },
        { ...event, time: NOW - 1e9 },
        { ...event, time: NOW * 1000 },
        { ...event, user: "" },
        { ...event, kind: "clack" },
      ]);
    });
    for (let again = 0; again < 2; again++) {
      const { accepted, duplicates, late, rejected } = await post(JSON.stringify(batch));
      expect(accepted + duplicates + late + rejected).toBe(batch.length);
      if (again > 0) expect(accepted).toBe(0);
    }
  }
  const keys = taken.map(({ id }) => id);
  expect(new Set(keys).size).toBe(keys.length);
  recommender.dispose();
  console.log(`batches: ${2 * BATCHES}`);
});

const SINKS: Record<string, () => unknown> = {
  "throws an error": () => {
    throw new Error("full");
  },
  "throws no error": () => {
    throw null;
  },
  "rejects at once": () => Promise.reject(new Error("full")),
  "rejects later": () => new Promise((_, reject) => setImmediate(() => reject(new Error("full")))),
  "takes none": () => 0,
  "takes one of three": () => 1,
  "takes one of three, later": async () => 1,
  "takes a part of an event": () => 1.5,
  "takes fewer than none": () => -1,
  "takes more than there are": () => 99,
  "takes NaN": () => Number.NaN,
  "gives a receipt too few": () => ["taken", "taken"],
  "gives no receipt": () => [],
  "gives receipts of no kind": () => ["taken", "lost", 7],
  "gives a text": () => "taken",
  "gives an object": () => ({ taken: 3 }),
};

test("sinks that throw, count wrongly or give odd receipts: an answer, and what was not taken may come again", async () => {
  for (const [name, sink] of Object.entries(SINKS)) {
    let isOdd = true;
    const later: LiveEvent[] = [];
    const post = door({
      sink: ((events: LiveEvent[]) => {
        if (isOdd) return sink();
        later.push(...events);
        return undefined;
      }) as IngestOptions["sink"],
    });
    const body = JSON.stringify([1, 2, 3].map(click));
    const first = await post(body).catch((error: unknown) => error as Error);
    if (!(first instanceof Error)) expect([200, 500, 503], name).toContain(first.status);
    isOdd = false;
    const second = await post(body);
    expect(second.status, name).toBe(200);
    expect(second.accepted + second.duplicates, name).toBe(3);
    expect(later.length, name).toBe(second.accepted);
  }
  console.log(`sinks: ${Object.keys(SINKS).length}`);
});

const BODIES: Record<string, [body: string | Uint8Array, headers?: Record<string, string>]> = {
  nothing: [""],
  "a blank": [" "],
  "a half": ['{"kind":"click"'],
  "a text": ['"click"'],
  null: ["null"],
  "a number": ["1e999"],
  "deep arrays": ["[".repeat(5000)],
  "deep objects": ['{"a":'.repeat(5000)],
  "an event with a deep field": [`[{"kind":"click","user":${"[".repeat(50)}${"]".repeat(50)}}]`],
  "bytes that are no text": [new Uint8Array([0xff, 0xfe, 0x80])],
  "a BOM of UTF-16": [new Uint8Array([0xff, 0xfe, 0x5b, 0, 0x5d, 0])],
  zeros: ["\0".repeat(1000)],
  "blank lines": ["\n".repeat(20_000), { "content-type": "application/x-ndjson" }],
  "10,001 events": [JSON.stringify(Array.from({ length: 10_001 }, (_, i) => click(i)))],
  "a bomb": [gzipSync(" ".repeat(32 << 20)), { "content-encoding": "gzip" }],
  "gzip that is none": ["[]", { "content-encoding": "gzip" }],
  "half of a gzip": [gzipSync(JSON.stringify([click(1)])).subarray(0, 30), { "content-encoding": "gzip" }],
  "gzip within gzip": [gzipSync(gzipSync("[]")), { "content-encoding": "gzip" }],
  "another encoding": ["[]", { "content-encoding": "br" }],
  "another type": ["[]", { "content-type": "text/plain" }],
  "a prototype": ['{"__proto__":{"kind":"click"},"constructor":1}'],
  "a name of 257 characters": [JSON.stringify({ ...click(1), user: "u".repeat(257) })],
  "a name that breaks a line": [JSON.stringify({ ...click(1), user: "u\n" })],
  "an escape of a terminal": [JSON.stringify({ ...click(1), stream: "\u001b[2J" })],
  "a time without end": [`{"kind":"click","id":"e","time":1e999,"user":"u","stream":"s"}`],
};

test("odd bodies are 4xx, nothing of them is taken, in at most 3 s of CPU", async () => {
  let count = 0;
  const post = door({ sink: (events) => void (count += events.length) });
  for (const [name, [body, headers]] of Object.entries(BODIES)) {
    const before = process.cpuUsage();
    const { status } = await post(body as BodyInit, headers);
    const { user, system } = process.cpuUsage(before);
    expect([name, status >= 400 && status < 500], `${name}: ${status}`).toEqual([name, true]);
    expect(user + system, name).toBeLessThan(3e6);
  }
  expect(count).toBe(0);
  console.log(`bodies: ${Object.keys(BODIES).length}`);
});

/** Pairs of events at one instant that differ in one field alone. */
const PAIRS: [object, object][] = (
  [
    [{ kind: "gift", user: "u", stream: "s", amount: 1 }, { amount: 500 }],
    [{ kind: "gift", user: "u", stream: "s", amount: 1 }, { stream: "s2" }],
    [{ kind: "comment", user: "u", stream: "s" }, { user: "v" }],
    [{ kind: "comment", user: "u", stream: "s", id: "m1" }, { id: "m2" }],
    [{ kind: "like", user: "u", stream: "s", id: "m1" }, { id: "m2" }],
    [{ kind: "like", user: "u", stream: "s" }, { kind: "share" }],
    [{ kind: "page_view", user: "u", dwellMs: 10, page: "a" }, { page: "b" }],
    [{ kind: "page_view", user: "u", dwellMs: 10 }, { dwellMs: 11 }],
    [{ kind: "rating", user: "u", stream: "s", rating: 1 }, { rating: 0.5 }],
    [{ kind: "purchase", user: "u", stream: "s", amount: 1 }, { amount: 2 }],
    [{ kind: "signal", user: "u", stream: "s", name: "tip", value: 1 }, { name: "poll" }],
    [{ kind: "signal", user: "u", stream: "s", name: "tip", value: 1 }, { value: 2 }],
    [{ kind: "user", user: "u", age: 30 }, { age: 31 }],
    [{ kind: "user", user: "u", region: "de" }, { region: "at" }],
    [{ kind: "update", stream: "s", viewers: 5 }, { viewers: 6 }],
    [{ kind: "update", stream: "s", title: "a" }, { title: "b" }],
    [{ kind: "friend", user: "u", friend: "v" }, { friend: "w" }],
  ] as [object, object][]
).map(([one, change]) => [one, { ...one, ...change }]);

test("two events at one instant that differ in one field are two, in cleaning and at the door", async () => {
  const time = NOW - 1000;
  const before = ["s", "s2"].map((stream) => ({ kind: "on_air", time: NOW - 60_000, stream, streamer: "a" }));
  for (const pair of PAIRS) {
    const events = pair.map((event) => ({ ...event, time })) as LiveEvent[];
    const kept: LiveEvent[] = [];
    for await (const event of cleanEvents([...before, ...events] as LiveEvent[], { giftGapMs: 0 })) kept.push(event);
    expect(kept.length - before.length, JSON.stringify(pair)).toBe(2);
    const recommender = platform();
    for (const event of events) expect(recommender.feedback(event, NOW), JSON.stringify(pair)).not.toBe("duplicate");
    expect(recommender.feedback(events[0]!, NOW), JSON.stringify(pair)).toBe("duplicate");
    recommender.dispose();
  }
  console.log(`pairs: ${PAIRS.length}`);
});
