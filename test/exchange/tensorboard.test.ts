import { describe, expect, test } from "vitest";
import {
  crc32c,
  type TensorBoardSink,
  TensorBoardWriter,
  tensorBoardLogger,
  trainScalars,
} from "../../src/exchange/tensorboard.js";
import { CartPole, DQN, jsonLinesLogger, train } from "../../src/index.js";
import { utf8 } from "../support/pieces.js";

/** What is written to it. */
class Bytes {
  readonly parts: Uint8Array[] = [];
  readonly sink = (bytes: Uint8Array): void => {
    this.parts.push(bytes);
  };

  get all(): Uint8Array {
    return Uint8Array.from(this.parts.flatMap((part) => [...part]));
  }
}

test.each([
  ["123456789", 0xe3069283],
  ["", 0],
  ["a", 0xc1d04330],
  // RFC 3720, B.4.
  ["\0".repeat(32), 0x8a9136aa],
])("CRC-32C of %j", (text, crc) => {
  expect(crc32c(utf8(text))).toBe(crc);
});

interface Event {
  wallTime: number;
  step: number;
  version?: string;
  values: Record<string, number>;
}

/** CRC-32C by long division, bit by bit, and TFRecord's mask. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let i = 0; i < 8; i++) crc = (crc >> 1n) ^ (crc & 1n ? 0x82f63b78n : 0n);
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

/** Fields of a message: number, and an integer, bytes of a fixed field, or bytes. */
function* fields(bytes: Uint8Array): Generator<[number: number, value: bigint | DataView | Uint8Array]> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (n: number) => bytes.subarray(at, (at += n));
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >> 3;
    if ((key & 7) === 0) yield [number, varint()];
    else if ((key & 7) === 2) yield [number, take(Number(varint()))];
    else {
      const fixed = take((key & 7) === 1 ? 8 : 4);
      yield [number, new DataView(fixed.buffer, fixed.byteOffset, fixed.length)];
    }
  }
  expect(at).toBe(bytes.length);
}

/** Reads an event file as the formats have it, checking every CRC. */
function read(file: Uint8Array): Event[] {
  const events: Event[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(data));
    at += 16 + length;
    const event: Event = { wallTime: 0, step: 0, values: {} };
    for (const [number, value] of fields(data)) {
      if (number === 1) event.wallTime = (value as DataView).getFloat64(0, true);
      else if (number === 2) event.step = Number(value);
      else if (number === 3) event.version = new TextDecoder().decode(value as Uint8Array);
      else {
        expect(number).toBe(5);
        for (const [one, each] of fields(value as Uint8Array)) {
          expect(one).toBe(1);
          const parts = Object.fromEntries(fields(each as Uint8Array));
          const tag = new TextDecoder().decode(parts[1] as Uint8Array);
          event.values[tag] = (parts[2] as DataView).getFloat32(0, true);
        }
      }
    }
    events.push(event);
  }
  return events;
}

describe("an event file", () => {
  // Made by Python's struct with a bitwise CRC from event.proto, summary.proto and record_writer.h; TensorBoard reads it.
  test("has these bytes", () => {
    const bytes = new Bytes();
    const writer = new TensorBoardWriter(bytes.sink, 1700000000.5);
    writer.scalar("train/loss", 0.25, 1000, 1700000001.25);
    writer.scalars({ a: 0, [`\u00e9/${"x".repeat(130)}`]: -1e30 }, 0, 0);
    writer.scalar("b", 1, 2 ** 53 - 1, 2);
    writer.scalars({}, 5, 5);
    expect(bytes.parts.map((part) => Buffer.from(part).toString("hex"))).toEqual([
      "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b353110",
      "2100000000000000017becf60900005040fc54d94110e8072a130a110a0a747261696e2f6c6f7373150000803ec63dd5e0",
      `9d00000000000000631717502a9a010a080a016115000000000a8d010a8501c3a92f${"78".repeat(130)}15caf249f17fa0bcac`,
      "1e00000000000000d9dc123209000000000000004010ffffffffffffff0f2a0a0a080a0162150000803fa8523f8f",
    ]);
  });

  test("reads back unchanged", () => {
    const bytes = new Bytes();
    const writer = new TensorBoardWriter(bytes.sink, 3);
    const written: Event[] = [{ wallTime: 3, step: 0, version: "brain.Event:2", values: {} }];
    const odd = [0, -0, 1e-45, 3.4028234663852886e38, Number.NaN, Number.POSITIVE_INFINITY, 1 / 3];
    for (let i = 0; i < 60; i++) {
      const values = { [`${"t".repeat(i * 5)}/${i}`]: odd[i % odd.length]!, second: i };
      const [step, wallTime] = [2 ** i > 2 ** 53 ? i : 2 ** i - 1, i * 1e8 + 0.125];
      writer.scalars(values, step, wallTime);
      const rounded = Object.entries(values).map(([tag, value]) => [tag, Math.fround(value)]);
      written.push({ wallTime, step, values: Object.fromEntries(rounded) });
    }
    expect(read(bytes.all)).toEqual(written);
  });

  test.each<[string, (writer: TensorBoardWriter) => void]>([
    ['"step" must be an integer in [0, 9007199254740991], got -1', (w) => w.scalar("a", 1, -1, 0)],
    ['"step" must be an integer in [0, 9007199254740991], got 0.5', (w) => w.scalar("a", 1, 0.5, 0)],
    ['"wallTime" must be seconds since 1970, a finite number >= 0, got NaN', (w) => w.scalar("a", 1, 0, Number.NaN)],
    ['"a" must be a number, got "1"', (w) => w.scalar("a", "1" as unknown as number, 0, 0)],
  ])("%s: nothing is written", (message, write) => {
    const bytes = new Bytes();
    const writer = new TensorBoardWriter(bytes.sink, 0);
    expect(() => write(writer)).toThrow(message);
    expect(bytes.parts).toHaveLength(1);
  });
});

describe("a stream", () => {
  test("takes the same bytes, and is ended", async () => {
    const [bytes, streamed] = [new Bytes(), new Bytes()];
    const stream = new WritableStream<Uint8Array>({ write: (chunk) => streamed.sink(chunk) });
    for (const sink of [bytes.sink, stream]) {
      const writer = new TensorBoardWriter(sink as TensorBoardSink, 1);
      for (let i = 0; i < 20; i++) writer.scalar("a", i, i, i);
      await writer.close();
      await writer.close();
      expect(() => writer.scalar("a", 1, 1, 1)).toThrow("the event file is closed");
    }
    expect(streamed.all).toEqual(bytes.all);
    expect(read(streamed.all)).toHaveLength(21);
  });

  test("that fails makes the next call or the end throw", async () => {
    const failing = () =>
      new WritableStream<Uint8Array>({
        write() {
          throw new Error("disk full");
        },
      });
    const writer = new TensorBoardWriter(failing(), 1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(() => writer.scalar("a", 1, 1, 1)).toThrow("disk full");
    await expect(new TensorBoardWriter(failing(), 1).close()).rejects.toThrow("disk full");
  });
});

describe("training", () => {
  const small = { observation: 4, actions: 2, hidden: [8], learningStarts: 50, batchSize: 8, seed: 1 };

  test("is logged by Stable-Baselines3's names, each evaluation once at its own step", async () => {
    const bytes = new Bytes();
    const agent = new DQN(small);
    let clock = 100;
    const onProgress = tensorBoardLogger(agent, new TensorBoardWriter(bytes.sink, clock), () => ++clock);
    const evaluation = { environment: new CartPole(), every: 150, episodes: 2 };
    await train(agent, new CartPole(), { steps: 400, progressEvery: 100, onProgress, evaluation });
    const events = read(bytes.all).slice(1);
    const evaluated = events.filter(({ values }) => "eval/mean_reward" in values);
    expect(evaluated.map(({ step }) => step)).toEqual([150, 300, 400]);
    const reports = events.filter(({ values }) => "rollout/exploration_rate" in values);
    expect(reports.map(({ step }) => step)).toEqual([100, 200, 300, 400]);
    expect(events.every(({ wallTime }) => wallTime > 100)).toBe(true);
    const last = reports.at(-1)!.values;
    expect(last["train/n_updates"]).toBe(agent.updates);
    expect(last["train/learning_rate"]).toBeCloseTo(1e-3, 9);
    for (const tag of ["rollout/ep_rew_mean", "train/loss", "train/q_mean", "train/gradient_norm", "replay/fill"]) {
      expect(last[tag], tag).not.toBeNaN();
      expect(last, tag).toHaveProperty([tag]);
    }
  });

  test("leaves out unknown figures, and counts refusals by field", () => {
    const agent = new DQN(small);
    expect(() => agent.act([0, 0, 0, 1e7])).toThrow();
    const progress = { step: 1, total: 2, episodes: 0, meanReturn: Number.NaN, loss: Number.NaN, epsilon: 1 };
    expect(trainScalars(progress, agent.stats())).toEqual({
      "rollout/exploration_rate": 1,
      "train/learning_rate": 1e-3,
      "train/n_updates": 0,
      "train/skipped_updates": 0,
      "replay/fill": 0,
      "refused/observation": 1,
    });
  });

  test("is logged as one JSON object a line, NaN as null", async () => {
    const lines: string[] = [];
    const agent = new DQN(small);
    const onProgress = jsonLinesLogger(agent, (line) => void lines.push(line));
    const { steps } = await train(agent, new CartPole(), { steps: 120, progressEvery: 40, onProgress });
    expect(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toBe(true);
    const rows = lines.map((line) => JSON.parse(line));
    expect(rows.map(({ step }) => step)).toEqual([40, 80, steps]);
    expect(rows[0]).toMatchObject({ total: 120, loss: null, epsilon: 0.9962, stats: { steps: 40, loss: null } });
    expect(rows[2].loss).toBeGreaterThan(0);
    expect(rows[2].stats).toEqual(JSON.parse(JSON.stringify(agent.stats())));
  });
});
