import { SnapshotError } from "../../../engine/index.js";

/** Bits of a variable-length integer in one byte. */
const SEVEN = 128;
const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** A number of 17 significant bits, the sign and the exponents of f32: three bytes where it is positive. */
export function short(x: number): number {
  float[0] = x;
  floatBits[0] = (floatBits[0]! + 0x40) & ~0x7f;
  return float[0]!;
}

/** The 24 bits of a positive number that is as `short` leaves it; -1 for any other. */
export function shortBits(x: number): number {
  float[0] = x;
  const bits = floatBits[0]!;
  return float[0] === x && bits < 0x80000000 && (bits & 0x7f) === 0 ? bits >>> 7 : -1;
}

/** The number of `shortBits`. */
export function shortOf(bits: number): number {
  floatBits[0] = bits << 7;
  return float[0]!;
}

/** Bytes that grow as they are written. Little endian. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  /** Makes room for so many more bytes. */
  room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  u8(value: number): void {
    this.room(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.room(2);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
  }

  u24(value: number): void {
    this.room(3);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
  }

  u32(value: number): void {
    this.u24(value);
    this.u8(value >>> 24);
  }

  /** An integer in [0, 2^53 - 1], in 1 to 8 bytes. */
  varint(value: number): void {
    this.room(8);
    const { bytes } = this;
    let at = this.length;
    let rest = value;
    // Remainders of what is no 32-bit integer are slow.
    for (; rest > 0x7fffffff; at++) {
      const high = Math.floor(rest / SEVEN);
      bytes[at] = rest - high * SEVEN + SEVEN;
      rest = high;
    }
    let small = rest | 0;
    for (; small >= SEVEN; small >>>= 7) bytes[at++] = small | SEVEN;
    bytes[at++] = small;
    this.length = at;
  }

  f32(value: number): void {
    float[0] = value;
    this.u32(floatBits[0]!);
  }

  f64(value: number): void {
    this.room(8);
    double[0] = value;
    for (let i = 0; i < 8; i++) this.bytes[this.length + i] = doubleBytes[i]!;
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The first integers of a list, each of so many bits: 0, 1, 2 or 4. */
  bits(values: Uint8Array, count: number, width: number): void {
    const from = this.length;
    const size = (count * width + 7) >>> 3;
    this.room(size);
    this.bytes.fill(0, from, from + size);
    this.length += size;
    for (let i = 0, bit = 0; i < count; i++, bit += width) this.bytes[from + (bit >>> 3)]! |= values[i]! << (bit & 7);
  }

  /** Any string, half surrogates too: a byte a unit where all are below 256, else two. */
  text(value: string): void {
    let isWide = 0;
    for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 255) isWide = 1;
    this.varint(2 * value.length + isWide);
    this.room(value.length << isWide);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      this.bytes[this.length++] = unit;
      if (isWide === 1) this.bytes[this.length++] = unit >>> 8;
    }
  }

  /** A copy of what was written. */
  slice(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what `ByteWriter` wrote; bytes from outside too: what does not fit is a SnapshotError that names the place. */
export class ByteReader {
  bytes: Uint8Array;
  at = 0;
  end: number;
  /** What is read, for messages. */
  what: string;

  constructor(bytes: Uint8Array = new Uint8Array(), what = "") {
    this.bytes = bytes;
    this.end = bytes.length;
    this.what = what;
  }

  /** Reads other bytes from now on. */
  over(bytes: Uint8Array): this {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    return this;
  }

  fail(must: string): never {
    throw new SnapshotError(`"${this.what}" must be ${must}`);
  }

  /** Moves on by so many bytes, which must be there; returns where they begin. */
  skip(count: number): number {
    const from = this.at;
    if (!(count <= this.end - from)) this.fail("whole: it is cut off");
    this.at = from + count;
    return from;
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    const at = this.skip(2);
    return this.bytes[at]! + (this.bytes[at + 1]! << 8);
  }

  u24(): number {
    const at = this.skip(3);
    return this.bytes[at]! + (this.bytes[at + 1]! << 8) + (this.bytes[at + 2]! << 16);
  }

  u32(): number {
    return this.u24() + this.u8() * 0x1000000;
  }

  varint(): number {
    const first = this.u8();
    if (first < SEVEN) return first;
    let value = first & 127;
    let scale = SEVEN;
    for (;;) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < SEVEN) break;
      scale *= SEVEN;
      if (scale > 2 ** 49) this.fail("an integer of at most 8 bytes");
    }
    if (value > Number.MAX_SAFE_INTEGER) this.fail("an integer below 2^53");
    return value;
  }

  /** An integer of at most `max`. */
  count(max: number, name: string): number {
    const value = this.varint();
    if (value > max) throw new SnapshotError(`"${this.what}.${name}" must be at most ${max}, got ${value}`);
    return value;
  }

  f32(): number {
    floatBits[0] = this.u32();
    return float[0]!;
  }

  f64(): number {
    const at = this.skip(8);
    for (let i = 0; i < 8; i++) doubleBytes[i] = this.bytes[at + i]!;
    return double[0]!;
  }

  /** Reads so many integers of so many bits each into a list. */
  bits(values: Uint8Array, count: number, width: number): void {
    const from = this.skip((count * width + 7) >>> 3);
    const mask = (1 << width) - 1;
    for (let i = 0, bit = 0; i < count; i++, bit += width) {
      values[i] = (this.bytes[from + (bit >>> 3)]! >>> (bit & 7)) & mask;
    }
  }

  /** A number in [min, max]. */
  number(min: number, max: number, name: string): number {
    const value = this.f64();
    if (!(value >= min && value <= max)) {
      throw new SnapshotError(`"${this.what}.${name}" must be in [${min}, ${max}], got ${value}`);
    }
    return value;
  }

  text(max = 65_536): string {
    const code = this.varint();
    const [length, isWide] = [Math.floor(code / 2), code % 2];
    if (length > max) this.fail(`a string of at most ${max} characters`);
    const from = this.skip(length << isWide);
    let text = "";
    for (let i = 0; i < length; i++) {
      const at = from + (i << isWide);
      text += String.fromCharCode(this.bytes[at]! + (isWide === 1 ? this.bytes[at + 1]! << 8 : 0));
    }
    return text;
  }

  /** All must be read. */
  done(): void {
    if (this.at !== this.end) this.fail(`${this.at} bytes long, got ${this.end}`);
  }
}
