import { cos, log } from "./math.js";

const TWO_PI = 6.283185307179586;
const TWO_32 = 4294967296;

/** Four lanes of 32 bits that absorb words one by one: the seeding hash. */
class Mixer {
  readonly lanes = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667);

  absorb(word: number): void {
    const h = this.lanes;
    const a = Math.imul(h[0]! ^ word, 0x85ebca6b);
    const b = Math.imul(h[1]! + word, 0xc2b2ae35);
    const c = Math.imul(h[2]! ^ Math.imul(word, 0x27d4eb2f), 0x165667b1);
    const d = Math.imul(h[3]! + word, 0x9e3779b1);
    h[0] = ((a << 13) | (a >>> 19)) + d;
    h[1] = ((b << 17) | (b >>> 15)) ^ a;
    h[2] = ((c << 5) | (c >>> 27)) + b;
    h[3] = ((d << 11) | (d >>> 21)) ^ c;
  }

  absorbInteger(value: number, what: string): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`"${what}" must be a safe integer, got ${value}`);
    this.absorb(1);
    this.absorb(value >>> 0);
    this.absorb(Math.floor(value / TWO_32) >>> 0);
  }

  absorbString(value: string): void {
    this.absorb(2);
    this.absorb(value.length);
    for (let i = 0; i < value.length; i++) this.absorb(value.charCodeAt(i));
  }
}

/**
 * A seeded generator of random numbers that gives the same sequence in every JavaScript engine.
 *
 * The generator is sfc32 (Doty-Humphrey, PractRand): 128 bits of state with a 32-bit counter among them, so no cycle is
 * shorter than 2^32. Not for secrets.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  /** @param seed - A safe integer. */
  constructor(seed: number) {
    this.#seed(seed, []);
  }

  /**
   * A stream of random numbers for a seed and a path of names, independent of all other streams.
   *
   * Two runs that use the same names get the same numbers, whatever else they draw: common random numbers.
   *
   * @param seed - A safe integer.
   * @param names - Strings or safe integers; `"1"` and `1` are different names.
   */
  static named(seed: number, ...names: (string | number)[]): Random {
    const random = new Random(0);
    random.#seed(seed, names);
    return random;
  }

  #seed(seed: number, names: readonly (string | number)[]): void {
    const mixer = new Mixer();
    mixer.absorbInteger(seed, "seed");
    for (const name of names) {
      if (typeof name === "string") mixer.absorbString(name);
      else mixer.absorbInteger(name, "name");
    }
    for (let i = 0; i < 4; i++) mixer.absorb(i);
    this.restore(mixer.lanes);
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** The complete state, four words, for `restore`. */
  state(): Uint32Array {
    return Uint32Array.of(this.#a, this.#b, this.#c, this.#counter);
  }

  /** Continues from a value of `state`. */
  restore(state: Uint32Array): void {
    if (state.length !== 4) throw new RangeError(`"state" must have 4 words, got ${state.length}`);
    this.#a = state[0]! | 0;
    this.#b = state[1]! | 0;
    this.#c = state[2]! | 0;
    this.#counter = state[3]! | 0;
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /**
   * A whole number in [0, n), each equally likely.
   *
   * @param n - A whole number in [1, 2^32].
   */
  below(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= TWO_32)) {
      throw new RangeError(`"n" must be an integer in [1, ${TWO_32}], got ${n}`);
    }
    const fair = TWO_32 - (TWO_32 % n);
    let word = this.uint32();
    while (word >= fair) word = this.uint32();
    return word % n;
  }

  /** True with probability p. */
  bernoulli(p: number): boolean {
    return this.uniform() < p;
  }

  /** The standard normal: mean 0, standard deviation 1. Box and Muller 1958; always takes two uniforms. */
  normal(): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return radius * cos(TWO_PI * this.uniform());
  }

  /** One of the items, each equally likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Puts the items in random order, in place, each order equally likely. Durstenfeld 1964. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = items[i]!;
      items[i] = items[j]!;
      items[j] = item;
    }
    return items;
  }
}
