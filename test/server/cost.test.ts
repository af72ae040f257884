import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Seen } from "../../src/collections/index.js";
import { tokenize } from "../../src/encoders/index.js";
import { readSafetensors } from "../../src/exchange/index.js";
import { DQN } from "../../src/index.js";
import { parseNumber } from "../../src/logs/basics/values.js";
import {
  DouyuPackets,
  detectLogFormat,
  type EventMapping,
  parseIsoTime,
  readCsvEvents,
  readJsonl,
  readMapped,
  timeReader,
} from "../../src/logs/index.js";
import { Recommender } from "../../src/recommender/index.js";
import { Rates } from "../../src/recommender/state/index.js";
import { ingest } from "../../src/server/index.js";
import { readAll } from "../support/parts.js";

/** Random texts of the last test; `npm run test:fuzz` asks for more. */
const TEXTS = Number(process.env["FUZZ_TEXTS"] ?? 40);
/** Sizes that differ by this factor take at most so many times the CPU: linear work takes FACTOR, quadratic FACTOR^2. */
const [FACTOR, MOST] = [16, 64] as const;
/** CPU below which a reader is fast whatever its growth, ms. */
const FAST_MS = 60;
const SMALL = 4_000;
/** CPU that a byte may take, in microseconds: a hundred times what it takes here. */
const US_A_BYTE = 50;

/** Texts that readers have stumbled over, of about so many bytes. */
const HOSTILE: Record<string, (n: number) => string> = {
  spaces: (n) => `{${" ".repeat(n)}x}`,
  "blank lines": (n) => "\n".repeat(n),
  "lines of a space": (n) => " \n".repeat(n / 2),
  "carriage returns": (n) => "\r".repeat(n),
  "open brackets": (n) => "[".repeat(n),
  "brackets and back": (n) => "[".repeat(n / 2) + "]".repeat(n / 2),
  "nested objects": (n) => '{"a":'.repeat(n / 5),
  "an event with a deep field": (n) =>
    `{"kind":"click","time":1,"user":"u","stream":${"[".repeat(n / 2)}${"]".repeat(n / 2)}}`,
  "empty objects": (n) => `[${"{},".repeat(n / 3)}{}]`,
  "empty objects by line": (n) => "{}\n".repeat(n / 3),
  "empty arrays": (n) => `{"tags":[${"[],".repeat(n / 3)}[]]}`,
  "many fields": (n) => `{${Array.from({ length: n / 10 }, (_, i) => `"k${i}":1`).join()}}`,
  "one field many times": (n) => `{${'"a":1,'.repeat(n / 6)}"a":1}`,
  backslashes: (n) => `{"a":"${"\\".repeat(n)}`,
  "escaped quotes": (n) => `{"a":"${'\\"'.repeat(n / 2)}"}`,
  quotes: (n) => '"'.repeat(n),
  "lines that end in an escape": (n) => `${"{{\\\n".repeat(n / 4)},,{`,
  "lines that open quotes": (n) => 'a,"b\n'.repeat(n / 5),
  digits: (n) => `{"time":${"1".repeat(n)}}`,
  zeros: (n) => "\0".repeat(n),
  "zeros and a letter": (n) => `${"\0".repeat(n)}x`,
  commas: (n) => ",".repeat(n),
  "a long text": (n) => `{"kind":"click","time":1,"user":"${"u".repeat(n)}","stream":"s"}`,
  "a header of many tensors": (n) =>
    `{${Array.from({ length: n / 50 }, (_, i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
};

function withLength(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const file = new Uint8Array(8 + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  return file;
}

/** A packet of Douyu's channel with this text, which it bounds. */
function packet(text: string): Uint8Array {
  const bytes = Buffer.from(text.slice(0, 65_000));
  const all = Buffer.alloc(12 + bytes.length);
  all.writeUInt32LE(8 + bytes.length, 0);
  all.writeUInt32LE(8 + bytes.length, 4);
  all.writeUInt16LE(690, 8);
  bytes.copy(all, 12);
  return all;
}

/** Keys, and saved actions of a minute, that all belong into one place of their tables. */
const COLLIDING: Record<string, (n: number) => void> = {
  Seen: (n) => {
    const seen = new Seen(n / 2);
    for (let i = 1; i <= n; i++) if (seen.get([i, i]) === undefined) seen.add([i, i]);
  },
  "Seen.load": (n) => new Seen(n).load(Uint32Array.from({ length: 3 * n }, (_, i) => Math.floor(i / 3))),
  "Rates.reader": (n) => {
    const seen = Uint32Array.from({ length: 3 * n }, (_, i) => (i % 3 === 2 ? 0 : Math.floor(i / 3)));
    const frame = new Uint8Array(5 + seen.byteLength);
    new DataView(frame.buffer).setUint32(0, 1 + seen.byteLength, true);
    frame.set(new Uint8Array(seen.buffer), 5);
    readAll(
      new Rates().reader("rates", () => 0),
      frame,
    );
  },
};

/** What bombs of 32 MiB are made of. */
const BOMBS: Record<string, string> = {
  "blank lines": "\n",
  spaces: " ",
  zeros: "\0",
  "lines of a letter": "x\n",
  "empty objects": "{}\n",
  "empty arrays": "[],",
  brackets: "[",
  objects: '{"a":',
  quotes: '"',
  "events of nobody": '{"kind":"click","time":1,"user":"","stream":""}\n',
};

/** Fields of a log that a pattern is matched against. */
const TEXTS_OF_FIELDS: Record<string, (n: number) => string> = {
  "digits and a letter": (n) => `${"1".repeat(n)}x`,
  points: (n) => `1${".".repeat(n)}`,
  signs: (n) => `${"-".repeat(n)}1`,
  "an exponent without end": (n) => `1e${"1".repeat(n)}x`,
  "spaces between digits": (n) => `1${" ".repeat(n)}1`,
  "a date and spaces": (n) => `2024-01-01${" ".repeat(n)}x`,
  "names of columns": (n) => "live_id,".repeat(n / 8),
  "half of a header": (n) => `${"live_id,start_timestamp,".repeat(n / 24)}end`,
};

async function drained(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

function posted(type: string, encode: (text: string) => BodyInit, encoding = "identity") {
  const handler = ingest({ sink: () => {} });
  return async (text: string) => {
    const headers = { "content-type": type, "content-encoding": encoding };
    const response = await handler(new Request("http://x/", { method: "POST", headers, body: encode(text) }));
    expect(response.status).toBeLessThan(500);
    await response.text();
  };
}

const gzip = (text: string) => gzipSync(text) as unknown as BodyInit;

const MAPPED: EventMapping = { kind: "click", fields: { time: "a.b", user: "b|c", stream: { column: "c" } } };
const BACKSLASHES = { escape: "backslash", columns: ["a", "b", "c"] } as const;

/** Everything that reads bytes from outside. */
const READERS: Record<string, (text: string) => unknown> = {
  "DQN.load": (text) => DQN.load(withLength(text)),
  "Recommender.load": (text) => Recommender.load(withLength(text)),
  readSafetensors: (text) => readSafetensors(withLength(text)),
  readJsonl: (text) => drained(readJsonl(text, { onError: "skip" })),
  readCsvEvents: (text) => drained(readCsvEvents(text, { onError: "skip" })),
  "readMapped with backslashes": (text) =>
    drained(readMapped(text, { ...MAPPED, source: BACKSLASHES }, { onError: "skip" })),
  "readMapped of objects": (text) =>
    drained(readMapped(text, { ...MAPPED, source: { format: "jsonl" } }, { onError: "skip" })),
  "readMapped of an array": (text) =>
    drained(readMapped(text, { ...MAPPED, source: { format: "json" } }, { onError: "skip" })),
  DouyuPackets: (text) => new DouyuPackets().push(packet(text)),
  "a body in JSON": posted("application/json", (text) => text),
  "a body of lines": posted("application/x-ndjson", (text) => text),
  "a body of lines in gzip": posted("application/x-ndjson", gzip, "gzip"),
};

/** Everything that matches patterns against fields and first lines. */
const FIELDS: Record<string, (text: string) => unknown> = {
  parseNumber,
  parseIsoTime,
  detectLogFormat: (text) =>
    detectLogFormat(["room.csv", "click.csv", "u.data", "100k.csv", "a.jsonl"], {
      "room.csv": new TextEncoder().encode(text),
    }),
  "detectLogFormat of exports": (text) => {
    const bytes = new TextEncoder().encode(text);
    detectLogFormat(["a.csv"], { "a.csv": bytes });
    detectLogFormat(["a.jsonl"], { "a.jsonl": bytes });
    detectLogFormat(["behaviors.tsv"], { "behaviors.tsv": bytes });
  },
  timeReader: (text) => timeReader("DD MMM YYYY h:mm:ss.S A Z")!(text, () => 0),
  "the duration of a watch": (text) =>
    drained(
      readMapped(text, {
        source: { columns: ["a"], quote: "none" },
        kind: "watch",
        fields: { time: { value: 1 }, user: { value: "u" }, stream: { value: "s" }, watchMs: "a" },
      }),
    ),
  tokenize,
};

/** CPU of a reader on a text, ms, the least of some runs. An error of its own is an answer as well. */
async function cost(read: (text: string) => unknown, text: string): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    try {
      await read(text);
    } catch (error) {
      expect(error, String(error)).not.toBeInstanceOf(RangeError);
    }
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
    if (least < FAST_MS) break;
  }
  return least;
}

/** Fails where work grows by more than the size. */
async function requireLinear(
  read: (text: string) => unknown,
  make: (n: number) => string,
  name: string,
): Promise<void> {
  const text = make(SMALL * FACTOR);
  const large = await cost(read, text);
  expect((1000 * large) / text.length, `${name}: microseconds a byte`).toBeLessThan(US_A_BYTE);
  if (large < FAST_MS) return;
  const small = await cost(read, make(SMALL));
  if (large / small < MOST) return;
  // What begins only beyond the small size, such as a limit, grows from here on.
  const larger = await cost(read, make(4 * SMALL * FACTOR));
  const grown = `${name}: ${small} ms, ${large} ms for ${FACTOR} times as much, ${larger} ms for four times that`;
  expect(larger / large, grown).toBeLessThan(8);
}

describe("the work of a reader grows with what was sent", () => {
  test.each(Object.entries(READERS))("%s", async (_, read) => {
    for (const [name, make] of Object.entries(HOSTILE)) await requireLinear(read, make, name);
  });

  test.each(Object.entries(BOMBS))("a bomb of %s is refused before it goes off", async (_, piece) => {
    const handler = ingest({ sink: () => {} });
    const body = gzipSync(piece.repeat((32 * 2 ** 20) / piece.length));
    const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
    const before = process.cpuUsage();
    const response = await handler(new Request("http://x/", { method: "POST", headers, body }));
    const { user, system } = process.cpuUsage(before);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    // The limit of a body that was inflated is 8 MiB; it takes some 30 ms.
    expect((user + system) / 1000).toBeLessThan(3000);
  });

  test.each(Object.entries(COLLIDING))("%s of keys made to collide", async (name, put) => {
    await requireLinear(
      (text) => put(text.length),
      (n) => "k".repeat(n),
      name,
    );
  });

  test.each(Object.entries(FIELDS))("%s of a field", async (field, read) => {
    for (const [name, make] of Object.entries(TEXTS_OF_FIELDS)) await requireLinear(read, make, `${field} of ${name}`);
  });

  test("also for texts that are repeated at random", async () => {
    const piece = fc.array(fc.constantFrom(...'{}[]",:\\\0 \n\r\t1eE-.+ax@/='.split("")), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(piece, piece, fc.constantFrom(...Object.entries(READERS)), async (a, b, [name, read]) => {
        const make = (n: number) => a.join("").repeat(Math.ceil(n / a.length)) + b.join("");
        await requireLinear(read, make, `${name} of ${JSON.stringify(make(1))}`);
      }),
      { numRuns: TEXTS, seed: 1 },
    );
  });
});
