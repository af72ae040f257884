import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../../src/numeric/random.js";
import { ByteReader, ByteWriter, short, shortBits, shortOf } from "../../../../src/recommender/state/packed/bytes.js";
import { Directory } from "../../../../src/recommender/state/packed/directory.js";
import { DEAD, Names } from "../../../../src/recommender/state/packed/names.js";
import { PackedMap } from "../../../../src/recommender/state/packed/packedmap.js";
import { framedPart, framedReader } from "../../../../src/recommender/state/packed/parts.js";
import {
  count,
  RecordReader,
  RecordWriter,
  real,
  shortSum,
  time,
} from "../../../../src/recommender/state/packed/record.js";
import { floatRows } from "../../../../src/recommender/state/packed/rows.js";
import { Slabs } from "../../../../src/recommender/state/packed/slabs.js";
import { bytesOf, readAll } from "../../../support/parts.js";

/** Numbers of all kinds, and the odd ones most. */
const anyNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 127, 128, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300, 5e-324, 0.1, Math.fround(0.1)),
  fc.nat(),
  fc.double({ noNaN: true }),
  fc.float({ noNaN: true }),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map(short),
);

describe("short numbers", () => {
  test("have 17 bits: within 2^-17 of what they round, to the nearest, and rounding again changes nothing", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-30, max: 1e30, noNaN: true }), (x) => {
        const rounded = short(x);
        expect(Math.abs(rounded / x - 1)).toBeLessThanOrEqual(2 ** -17 + 1e-7);
        expect(short(rounded)).toBe(rounded);
        expect(shortOf(shortBits(rounded))).toBe(rounded);
      }),
      { seed: 1, numRuns: 1000 },
    );
    for (let n = 0; n < 70_000; n += 7) if (n < 2 ** 17) expect(short(n)).toBe(n);
  });

  test("fade without bias: after a day of half minutes within 1 in 100 of one step", () => {
    const factor = 2 ** (-30 / (7 * 86_400));
    for (const start of [1, 1.37, 2.99, 7]) {
      let sum = start;
      for (let i = 0; i < 2880; i++) sum = short(sum * factor);
      expect(sum / (start * factor ** 2880)).toBeGreaterThan(0.99);
      expect(sum / (start * factor ** 2880)).toBeLessThan(1.01);
    }
  });
});

test("bytes give back numbers and texts, half surrogates too; what is cut off is refused by name", () => {
  fc.assert(
    fc.property(fc.array(anyNumber), fc.array(fc.string({ unit: "binary" })), (numbers, texts) => {
      const out = new ByteWriter(1);
      for (const x of numbers) out.f64(x);
      for (const x of numbers) out.varint(Math.min(Math.floor(Math.abs(x)), Number.MAX_SAFE_INTEGER));
      for (const text of [...texts, "\ud800", "\u00ff", ""]) out.text(text);
      const read = new ByteReader(out.slice(), "x");
      for (const x of numbers) expect(read.f64()).toBe(x);
      for (const x of numbers) expect(read.varint()).toBe(Math.min(Math.floor(Math.abs(x)), Number.MAX_SAFE_INTEGER));
      for (const text of [...texts, "\ud800", "\u00ff", ""]) expect(read.text()).toBe(text);
      read.done();
      expect(() => read.u8()).toThrow('"x" must be whole: it is cut off');
    }),
    { seed: 1, numRuns: 50 },
  );
  expect(() => new ByteReader(new Uint8Array(12).fill(255), "x").varint()).toThrow('"x" must be an integer');
});

test("a record gives back every number to the bit, and all names", () => {
  const tables = [
    { name: "w", names: [2], columns: [time("t")], max: 1 },
    { name: "a", names: [0, 1], columns: [time("t"), count("n")], max: 1000 },
    { name: "b", names: [], columns: [shortSum("s"), real("r")], max: 1000 },
    { name: "c", names: [0], columns: [], max: 1000 },
  ];
  const [writer, reader] = [new RecordWriter(tables), new RecordReader(tables)];
  // Columns of many numbers, of few, and of one; names of two bytes, of three, and dead ones.
  const few = fc.constantFrom(1, 2, 0.1, 0, -0, 1e300);
  const number = fc.oneof(anyNumber, few);
  const name = fc.oneof(fc.nat(70_000), fc.constantFrom(0xfffe, 0xffff, DEAD));
  const entries = (x: fc.Arbitrary<number>, y: fc.Arbitrary<number>) =>
    fc.array(fc.tuple(x, y, name, fc.oneof(fc.nat(999), name)), { maxLength: 40 });
  const any = fc.oneof(entries(number, number), entries(few, fc.constant(0.1)), entries(fc.constant(0), few));
  const watching = fc.option(fc.tuple(name, anyNumber), { nil: undefined });
  fc.assert(
    fc.property(anyNumber, watching, any, any, any, (base, w, a, b, c) => {
      writer.begin(base);
      if (w !== undefined) {
        writer.entry(0);
        writer.name(w[0]);
        writer.number(w[1]);
      }
      for (const [x, y, n, m] of a) {
        writer.entry(1);
        writer.name(n);
        writer.name(m);
        writer.number(x);
        writer.number(y);
      }
      for (const [x, y] of b) {
        writer.entry(2);
        writer.number(x);
        writer.number(y);
      }
      for (const [, , n] of c) {
        writer.entry(3);
        writer.name(n);
      }
      const record = writer.end().slice();
      const bytes = new ByteReader(record, "record");
      reader.open(bytes);
      bytes.done();
      expect([...reader.counts]).toEqual([w ? 1 : 0, a.length, b.length, c.length]);
      expect(reader.base).toBe(base);
      if (w !== undefined) expect(reader.number()).toBe(w[1]);
      for (const [x, y] of [...a, ...b]) expect([reader.number(), reader.number()]).toEqual([x, y]);
      if (w !== undefined) expect(reader.name()).toBe(w[0]);
      for (const [, , n, m] of a) expect([reader.name(), reader.name()]).toEqual([n, m]);
      for (const [, , n] of c) expect(reader.name()).toBe(n);
      const walked: number[] = [];
      reader.walk(bytes.over(record), (_, number, table) => table === 3 && walked.push(number));
      expect(walked).toEqual(c.map(([, , n]) => n));
      expect(reader.first(bytes.over(record))).toEqual(w && { name: w[0], value: w[1] });
      // With other names, and back, it is the same to the byte; so it is where its numbers are written anew.
      const [other, back] = [new ByteWriter(), new ByteWriter()];
      const moved = (number: number) => (number === DEAD ? DEAD : number ^ 0x10000);
      reader.renamed(bytes.over(record), other, (_, number) => moved(number));
      reader.renamed(bytes.over(other.slice()), back, (_, number) => moved(number));
      expect(Buffer.compare(back.slice(), record)).toBe(0);
      reader.open(bytes.over(record));
      expect(Buffer.compare(writer.again(reader), record)).toBe(0);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("a column of few different numbers costs their places, in bits", () => {
  const tables = [{ name: "a", names: [], columns: [real("x"), count("n")], max: 1000 }];
  const size = (n: number, x: (i: number) => number) => {
    const writer = new RecordWriter(tables);
    writer.begin(0);
    for (let i = 0; i < n; i++) {
      writer.entry(0);
      writer.number(x(i));
      writer.number(0);
    }
    return writer.end().length;
  };
  const head = size(0, () => 0);
  expect(size(64, () => 0) - head).toBe(2);
  expect(size(64, () => 0.1) - head).toBe(3 + 8);
  expect(size(64, (i) => [0.1, 0.7][i % 2]!) - head).toBe(3 + 16 + 64 / 8);
  expect(size(64, (i) => (i % 16) / 10) - head).toBeLessThan(2 + 4 + 16 * 8 + 64 / 2 + 1);
  expect(size(64, (i) => i / 10) - head).toBeGreaterThan(400);
});

describe("slabs", () => {
  test("hold records of any length through additions and frees, and wipe what is freed", () => {
    const slabs = new Slabs();
    const random = new Random(1);
    const held = new Map<number, Uint8Array>();
    for (let i = 0; i < 1500; i++) {
      const length = random.bernoulli(0.02) ? random.below(20_000) : random.below(1500);
      const record = Uint8Array.from({ length }, () => 1 + random.below(255));
      held.set(slabs.add(record), record);
      if (random.bernoulli(0.45)) {
        const address = [...held.keys()][random.below(held.size)]!;
        expect(Buffer.compare(slabs.get(address), held.get(address)!)).toBe(0);
        slabs.free(address);
        held.delete(address);
      }
    }
    expect(slabs.records).toBe(held.size);
    for (const [address, record] of held) expect(Buffer.compare(slabs.get(address), record)).toBe(0);
    const taken = () => [...slabs.memory()].reduce((sum, { length }) => sum + length, 0);
    for (const address of held.keys()) slabs.free(address);
    for (const memory of slabs.memory()) expect(memory.every((byte) => byte === 0)).toBe(true);
    const before = taken();
    for (let i = 0; i < 100; i++) slabs.add(new Uint8Array(900).fill(7));
    expect(taken()).toBe(before);
  });

  test("keep freed records while someone holds them, and not longer", () => {
    const slabs = new Slabs();
    const secret = slabs.add(Uint8Array.from([1, 2, 3]));
    slabs.hold();
    slabs.hold();
    slabs.free(secret);
    slabs.add(Uint8Array.from([9, 9, 9]));
    slabs.release();
    expect([...slabs.get(secret)]).toEqual([1, 2, 3]);
    slabs.release();
    expect([...slabs.get(secret)]).toEqual([]);
  });
});

describe("names", () => {
  test("are freed with their last reference, and their numbers are used again", () => {
    const names = new Names();
    for (const name of ["a", "b"]) names.refer(names.intern(name));
    names.drop(names.intern("a"));
    expect([names.has("a"), names.has("b"), names.size]).toEqual([false, true, 1]);
    expect(names.intern("c")).toBe(0);
  });

  test("are dead in all records once forgotten; the same name later is another", () => {
    const names = new Names();
    const number = names.intern("a");
    names.refer(number);
    names.refer(number);
    names.forget("a");
    expect(names.name(number)).toBeUndefined();
    const again = names.intern("a");
    expect(again).not.toBe(number);
    names.drop(number);
    expect(names.intern("b")).not.toBe(number);
    names.drop(number);
    expect(names.intern("c")).toBe(number);
  });

  test("of a moment stay as they were for who holds it", () => {
    const names = new Names();
    const [a, b] = ["a", "b"].map((name) => names.intern(name));
    for (const number of [a!, b!]) names.refer(number);
    const moment = names.hold();
    names.forget("a");
    names.drop(b!);
    expect([names.nameAt(a!, moment), names.nameAt(b!, moment)]).toEqual(["a", "b"]);
    const later = names.hold();
    expect(names.nameAt(a!, later)).toBeUndefined();
    names.release();
    names.refer(names.intern("x"));
    expect(names.nameAt(b!, moment)).toBe("b");
    names.release();
    expect(names.size).toBe(1);
  });
});

test("a directory is in the order of touches, as a map with deletions is", () => {
  const directory = new Directory(1000);
  const random = new Random(2);
  const model = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const id = `u${random.below(60)}`;
    if (random.bernoulli(0.3)) {
      expect(directory.delete(id) >= 0).toBe(model.delete(id));
      continue;
    }
    const slot = directory.touch(id);
    model.delete(id);
    model.set(id, slot);
    expect(directory.id(slot)).toBe(id);
  }
  expect([...directory.keys()]).toEqual([...model.keys()]);
  const listing = directory.listing();
  const before = [...directory.keys()];
  for (const id of before.slice(0, 10)) directory.delete(id);
  directory.touch("new");
  expect(Array.from(listing.slots(), (slot) => listing.id(slot))).toEqual(before);
});

test("rows of a picture stay as they were", () => {
  const rows = floatRows(2);
  for (let slot = 0; slot < 200; slot++) rows.write(slot).fill(slot, rows.at(slot), rows.at(slot) + 2);
  const picture = rows.share();
  rows.write(3)[rows.at(3)] = 77;
  rows.clear(150);
  const read = (of: Pick<typeof rows, "of" | "at">, slot: number) => of.of(slot)[of.at(slot)];
  expect([read(picture, 3), read(picture, 150), read(rows, 3), read(rows, 150)]).toEqual([3, 150, 77, 0]);
});

test("a packed map drops what was set longest ago; its picture and its part are of one moment", () => {
  const map = new PackedMap(3);
  for (const [i, id] of ["a", "b", "c", "a", "d"].entries()) map.set(id, Uint8Array.from([i]));
  expect([...map.keys()]).toEqual(["c", "a", "d"]);
  const part = map.part("map");
  map.set("c", Uint8Array.from([99]));
  map.delete("a");
  const copy = new PackedMap(3);
  const bytes = bytesOf(part);
  readAll(
    framedReader("map", (frame) => copy.take(frame, (record) => void record.u8())),
    bytes,
    1,
  );
  expect(Array.from(copy.keys(), (id) => [id, ...copy.get(id)!])).toEqual([
    ["c", 2],
    ["a", 3],
    ["d", 4],
  ]);
  const twice = framedReader("map", (frame) => copy.take(frame, (record) => void record.u8()));
  expect(() => readAll(twice, bytes)).toThrow('"map" must have new ids, got "c"');
});

test("frames of any length come back in chunks of at most a mebibyte, whatever the pieces", () => {
  const frames = [0, 1, 70_000, 3_000_000, 5].map((length) => new Uint8Array(length).fill(length % 251));
  const part = framedPart("frames", () => frames);
  for (const chunk of part.chunks()) expect(chunk.length).toBeLessThanOrEqual(1 << 20);
  const bytes = bytesOf(part);
  for (const piece of [1 << 20, 999_983, 65_536]) {
    const seen: Uint8Array[] = [];
    const reader = framedReader("frames", (frame) => {
      seen.push(frame.bytes.slice());
      frame.skip(frame.end);
    });
    readAll(reader, bytes, piece);
    expect(seen.map(({ length }) => length)).toEqual(frames.map(({ length }) => length));
  }
  const cut = framedReader("frames", (frame) => void frame.skip(frame.end));
  expect(() => readAll(cut, bytes.subarray(0, bytes.length - 1))).toThrow('"frames" is cut off');
  const huge = framedReader("frames", () => {});
  expect(() => huge.write(new Uint8Array(4).fill(255))).toThrow('"frames" has a record of 4294967295 bytes');
});
