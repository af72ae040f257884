import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { floatsOf, readSafetensors, type Tensor, writeTensors } from "../../src/exchange/container.js";
import { SnapshotError } from "../../src/index.js";
import { bytes, utf8 } from "../support/pieces.js";

/** A file with this text as its header, and n bytes of data. */
function withHeader(text: string | Uint8Array, n = 0): Uint8Array {
  const header = typeof text === "string" ? utf8(text) : text;
  const file = new Uint8Array(8 + header.length + n);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(bytes(n), 8 + header.length);
  return file;
}

const tensor = (name: string, shape: string, from: unknown, to: unknown, dtype = "F32") =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;

describe("readSafetensors", () => {
  test("reads all that the format allows: any order of names and fields, spaces, metadata, scalars, empty tensors", () => {
    const text = `{ "b\\u0061":\t{"shape": [ 3 ], "data_offsets":[8, 11],"dtype":"U8"},\n"__metadata__":{"k":"v"},
      ${tensor("a", "[2,1]", 0, 8)},${tensor("none", "[0,9007199254740991]", 11, 11)},${tensor("one", "[]", 11, 15)}}   `;
    const { metadata, tensors } = readSafetensors(Buffer.from(withHeader(text, 15)));
    expect([...metadata]).toEqual([["k", "v"]]);
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ["a", "F32", [2, 1]],
      ["ba", "U8", [3]],
      ["none", "F32", [0, 9007199254740991]],
      ["one", "F32", []],
    ]);
    expect(tensors.get("ba")!.bytes).toEqual(bytes(15).subarray(8, 11));
    expect(readSafetensors(withHeader("{}")).tensors.size).toBe(0);
  });

  test("gives back whatever writeTensors wrote, its data at a multiple of 64", () => {
    const width = { U8: 1, F16: 2, F32: 4, F64: 8 };
    const one = fc
      .record({
        dtype: fc.constantFrom(...(Object.keys(width) as (keyof typeof width)[])),
        shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      })
      .map(({ dtype, shape }): Tensor => {
        return { dtype, shape, bytes: bytes(shape.reduce((n, size) => n * size, width[dtype])) };
      });
    const name = fc.string({ unit: "grapheme" }).filter((text) => text !== "__metadata__" && text !== "__proto__");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, one), { maxLength: 5 }), name, (entries, note) => {
        const tensors = new Map(entries);
        const file = writeTensors(tensors, { note });
        const read = readSafetensors(file);
        expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
        expect(read.metadata.get("note")).toBe(note);
        expect(Number(new DataView(file.buffer).getBigUint64(0, true) + 8n) % 64).toBe(0);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("reads a header of megabytes, and every type that safetensors publishes", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => tensor(`model.layers.${i}.weight`, "[1]", 4 * i, 4 * i + 4));
    expect(readSafetensors(withHeader(`{${many.join()}}`, 80_000)).tensors.size).toBe(20_000);
    const long = `{"__metadata__":{"k":"${"x".repeat(1 << 20)}"}}`;
    expect(readSafetensors(withHeader(long)).metadata.get("k")).toHaveLength(1 << 20);
    const sizes = { F4: 2, F6_E2M3: 3, F6_E3M2: 3, F8_E4M3: 4, F8_E5M2: 4, F8_E8M0: 4, F8_E4M3FNUZ: 4, F8_E5M2FNUZ: 4 };
    for (const [dtype, size] of Object.entries({ ...sizes, BOOL: 4, BF16: 8, F64: 32, C64: 32, U64: 32 })) {
      const file = withHeader(`{${tensor("a", "[2,2]", 0, size, dtype)}}`, size);
      expect(readSafetensors(file).tensors.get("a"), dtype).toMatchObject({ dtype, shape: [2, 2] });
    }
  });

  test("names the limit of a header beyond it", () => {
    const file = new Uint8Array(100_000_009);
    new DataView(file.buffer).setBigUint64(0, 100_000_001n, true);
    expect(() => readSafetensors(file)).toThrow("the header has 100000001 bytes; the format's limit is 100000000");
  });

  test.each<[string, Uint8Array]>([
    ["the file has 7 bytes: too short", bytes(7)],
    ["not a safetensors file, or cut off: its header would have", bytes(40)],
    ["the header is not UTF-8", withHeader(Uint8Array.of(0x7b, 0xff, 0x7d))],
    ['the header must begin with "{"', withHeader(" {}")],
    ['the header must begin with "{"', withHeader("\ufeff{}")],
    ['the header must begin with "{"', withHeader("[]")],
    ['the header must begin with "{"', withHeader("")],
    ["only spaces after its object", withHeader("{}\n")],
    ["only spaces after its object", withHeader("{}{}")],
    ['the header must have "}"', withHeader(`{${tensor("a", "[1]", 0, 4)}`, 4)],
    ["the header must have a string, at character 1", withHeader("{a:1}")],
    ["the header must have a string", withHeader(`{${tensor("a", "[1]", 0, 4)},}`, 4)],
    ["without bad escapes", withHeader('{"a\\x":1}')],
    ["without bad escapes", withHeader('{"a')],
    ["well-formed strings", withHeader('{"\\ud800":1}')],
    ['has "a" twice', withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("\\u0061", "[1]", 0, 4)}}`, 4)],
    ['has "k" twice', withHeader('{"__metadata__":{"k":"1","k":"2"}}')],
    ['has "dtype" twice', withHeader('{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4)],
    ["the header must have a string", withHeader('{"__metadata__":{"k":1}}')],
    ['the header must have "{"', withHeader('{"__metadata__":null}')],
    ['the header must have "{"', withHeader('{"a":[]}')],
    [
      'tensor "a" the field "extra", but fields are dtype, shape, data_offsets',
      withHeader('{"a":{"dtype":"F32","extra":1,"shape":[],"data_offsets":[0,4]}}', 4),
    ],
    ['must give tensor "a" dtype, shape and two data_offsets', withHeader('{"a":{"dtype":"F32","shape":[]}}')],
    [
      'must give tensor "a" dtype, shape and two data_offsets',
      withHeader('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}'),
    ],
    ["more than 2 numbers", withHeader('{"a":{"data_offsets":[0,4,8]}}')],
    ["more than 8 numbers", withHeader(`{${tensor("a", "[1,1,1,1,1,1,1,1,1]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[-1]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[1.0]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[1e0]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[01]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", '["1"]', 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[9007199254740992]", 0, 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[]", "-0", 4)}}`, 4)],
    ["an integer in [0, 2^53 - 1]", withHeader(`{${tensor("a", "[]", 0, "99999999999999999999")}}`, 4)],
    [
      'tensor "a" would have more than 1099511627776 bytes',
      withHeader(`{${tensor("a", "[4294967296,1073741824]", 0, 0)}}`),
    ],
    ['tensor "a" has the unknown dtype "F8_X"; known are F4, ', withHeader(`{${tensor("a", "[4]", 0, 4, "F8_X")}}`, 4)],
    ['tensor "a" must end with a byte, but has 12 bits', withHeader(`{${tensor("a", "[3]", 0, 2, "F4")}}`, 2)],
    ["it is compressed with gzip", gzipSync("x".repeat(100))],
    ["it is a zip archive, as torch.save writes it", new TextEncoder().encode("PK\x03\x04 and more")],
    ["it is text in UTF-16", Uint8Array.of(0xff, 0xfe, 65, 0, 66, 0, 67, 0, 68, 0)],
    ['tensor "a" is F32 (2) of 8 bytes, but its data_offsets span 4', withHeader(`{${tensor("a", "[2]", 0, 4)}}`, 4)],
    [
      'tensor "b" is F32 (1) of 4 bytes, but its data_offsets span -4',
      withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("b", "[1]", 4, 0)}}`, 4),
    ],
    [
      'tensor "b" begins at byte 0, but the one before it ends at 4',
      withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("b", "[1]", 0, 4)}}`, 4),
    ],
    ['tensor "b" begins at byte 2', withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("b", "[1]", 2, 6)}}`, 6)],
    ['tensor "b" begins at byte 8', withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("b", "[1]", 8, 12)}}`, 12)],
    ['tensor "a" begins at byte 4', withHeader(`{${tensor("a", "[1]", 4, 8)}}`, 8)],
    [
      'tensor "b" ends at byte 8 of 7: the file is cut off',
      withHeader(`{${tensor("a", "[1]", 0, 4)},${tensor("b", "[1]", 4, 8)}}`, 7),
    ],
    ["the tensors end at byte 4 of 5", withHeader(`{${tensor("a", "[1]", 0, 4)}}`, 5)],
  ])("refuses: %s", (message, file) => {
    expect(() => readSafetensors(file)).toThrow(SnapshotError);
    expect(() => readSafetensors(file)).toThrow(message);
  });

  test("a name such as __proto__ is a name like any other", () => {
    const { tensors, metadata } = readSafetensors(
      withHeader(`{"__metadata__":{"__proto__":"x"},${tensor("__proto__", "[1]", 0, 4)}}`, 4),
    );
    expect([...tensors.keys(), ...metadata.keys()]).toEqual(["__proto__", "__proto__"]);
  });

  test("any byte changed or cut off in the header is refused, or gives tensors that fill the file", () => {
    const two = { dtype: "F32", shape: [2], bytes: bytes(8) };
    const file = writeTensors(
      new Map([
        ["a", two],
        ["b", two],
      ]),
      { k: "v" },
    );
    for (let i = 0; i < file.length; i++) {
      for (const mask of [1, 2, 4, 16, 0x20, 0x80]) {
        const bad = file.slice();
        bad[i]! ^= mask;
        try {
          const { tensors } = readSafetensors(bad);
          expect([...tensors.values()].reduce((n, t) => n + t.bytes.length, 0)).toBe(16);
        } catch (error) {
          expect(error).toBeInstanceOf(SnapshotError);
        }
      }
      expect(() => readSafetensors(file.subarray(0, i))).toThrow(SnapshotError);
    }
  });
});

describe("floatsOf", () => {
  const of = (dtype: string, buffer: ArrayBuffer) =>
    floatsOf("x", { dtype, shape: [1], bytes: new Uint8Array(buffer) });

  test("converts all halves, bfloat16 and f64 by IEEE 754", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const exponent = (bits >> 10) & 31;
      if (exponent === 31) continue;
      const power = exponent === 0 ? 2 ** -24 : 2 ** (exponent - 25);
      const magnitude = ((bits & 1023) + (exponent === 0 ? 0 : 1024)) * power;
      const [value] = of("F16", Uint16Array.of(bits).buffer);
      if (!Object.is(value, bits & 0x8000 ? -magnitude : magnitude)) expect([bits, value]).toEqual([bits, magnitude]);
    }
    expect([...of("BF16", Uint16Array.of(0x3f80, 0xc049, 0x8000).buffer)]).toEqual([1, -3.140625, -0]);
    expect([...of("F64", Float64Array.of(0.1, -2).buffer)]).toEqual([Math.fround(0.1), -2]);
  });

  test.each<[string, string, ArrayBuffer]>([
    ["got NaN at 1", "F32", Float32Array.of(0, Number.NaN).buffer],
    ["got -Infinity at 0", "F16", Uint16Array.of(0xfc00).buffer],
    ["got NaN at 0", "F16", Uint16Array.of(0x7c01).buffer],
    ["got Infinity at 0", "BF16", Uint16Array.of(0x7f80).buffer],
    ["got Infinity at 0", "F64", Float64Array.of(1e39).buffer],
    ['tensor "x" must be one of F32, F64, F16, BF16, got "I64"', "I64", BigInt64Array.of(1n).buffer],
  ])("refuses: %s (%s)", (message, dtype, buffer) => {
    expect(() => of(dtype, buffer)).toThrow(message);
  });
});
