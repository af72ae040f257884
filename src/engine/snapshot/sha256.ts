/** SHA-256, FIPS 180-4. WebCrypto's is asynchronous, and saving must be synchronous. */

/** The first 32 fractional bits of a root of the first primes: sections 4.2.2 and 5.3.3. */
function fractions(count: number, root: (x: number) => number): Int32Array {
  const words = new Int32Array(count);
  for (let n = 0, candidate = 2; n < count; candidate++) {
    let isPrime = true;
    for (let d = 2; d * d <= candidate; d++) isPrime &&= candidate % d !== 0;
    if (isPrime) words[n++] = (root(candidate) % 1) * 2 ** 32;
  }
  return words;
}

const ROUND = fractions(64, Math.cbrt);
const START = fractions(8, Math.sqrt);

/** Mixes one block of 64 bytes into the state. */
function compress(state: Int32Array, w: Int32Array, block: DataView, at: number): void {
  for (let t = 0; t < 16; t++) w[t] = block.getInt32(at + t * 4);
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!;
    const y = w[t - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[t]! + w[t]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = state[i]! + sums[i]!;
}

/** A digest of bytes given in chunks. */
export class Sha256 {
  readonly #state = START.slice();
  readonly #words = new Int32Array(64);
  /** Bytes of the last, incomplete block. */
  readonly #rest = new Uint8Array(64);
  #length = 0;

  update(bytes: Uint8Array): this {
    const used = this.#length % 64;
    this.#length += bytes.byteLength;
    let at = 0;
    if (used > 0) {
      at = Math.min(64 - used, bytes.byteLength);
      this.#rest.set(bytes.subarray(0, at), used);
      if (used + at < 64) return this;
      compress(this.#state, this.#words, new DataView(this.#rest.buffer), 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + 64 <= bytes.byteLength; at += 64) compress(this.#state, this.#words, view, at);
    this.#rest.set(bytes.subarray(at));
    return this;
  }

  /** 64 hexadecimal digits. Call it once. */
  digest(): string {
    const used = this.#length % 64;
    const tail = new Uint8Array(used < 56 ? 64 : 128);
    tail.set(this.#rest.subarray(0, used));
    tail[used] = 0x80;
    const end = new DataView(tail.buffer);
    end.setBigUint64(tail.length - 8, BigInt(this.#length) * 8n);
    for (let at = 0; at < tail.length; at += 64) compress(this.#state, this.#words, end, at);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** The digest of some bytes, as 64 hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return new Sha256().update(bytes).digest();
}
