/**
 * The random numbers of NumPy's `default_rng` for a seed, so that a figure that was drawn with it can be drawn again:
 * PCG64 (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms") seeded by
 * `SeedSequence`, whole numbers by Lemire 2019 ("Fast Random Integer Generation in an Interval").
 */
const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const POOL = 4;

/** One word after the other is scrambled by a multiplier that changes on the way. */
function hasher(first: number, multiplier: number): (word: number) => number {
  let constant = first;
  return (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, multiplier);
    const product = Math.imul(mixed, constant);
    return (product ^ (product >>> 16)) >>> 0;
  };
}

/** 64-bit words out of a seed below 2^32. */
function seedWords(seed: number, n: number): bigint[] {
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = Array.from({ length: POOL }, (_, i) => hash(i === 0 ? seed : 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]!) - Math.imul(0x4973f715, hash(pool[from]!));
      pool[to] = (mixed ^ (mixed >>> 16)) >>> 0;
    }
  }
  const state = hasher(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 2 * n }, (_, i) => BigInt(state(pool[i % POOL]!)));
  return Array.from({ length: n }, (_, i) => words[2 * i]! | (words[2 * i + 1]! << 32n));
}

export class NumpyRandom {
  #state = 0n;
  readonly #increment: bigint;
  /** The upper half of the last 64 bits, where only the lower one was used. */
  #half: number | undefined;

  /** @param seed - A whole number in [0, 2^32). */
  constructor(seed: number) {
    const [high, low, streamHigh, streamLow] = seedWords(seed, 4) as [bigint, bigint, bigint, bigint];
    this.#increment = ((((streamHigh << 64n) | streamLow) << 1n) | 1n) & MASK_128;
    this.#step();
    this.#state = (this.#state + ((high << 64n) | low)) & MASK_128;
    this.#step();
  }

  #step(): void {
    this.#state = (this.#state * MULTIPLIER + this.#increment) & MASK_128;
  }

  /** 64 random bits. */
  bits(): bigint {
    this.#step();
    const word = (this.#state >> 64n) ^ (this.#state & MASK_64);
    const turn = this.#state >> 122n;
    return ((word >> turn) | (word << (64n - turn))) & MASK_64;
  }

  #uint32(): number {
    const half = this.#half;
    this.#half = undefined;
    if (half !== undefined) return half;
    const bits = this.bits();
    this.#half = Number(bits >> 32n);
    return Number(bits & 0xffffffffn);
  }

  /** A whole number in [0, n), n in [1, 2^21]: the products are exact. */
  below(n: number): number {
    if (n === 1) return 0;
    const least = (2 ** 32 - n) % n;
    let product = this.#uint32() * n;
    while (product % 2 ** 32 < least) product = this.#uint32() * n;
    return Math.floor(product / 2 ** 32);
  }

  /** `choice(n, size, replace=False)` for n up to 10,000: Floyd's algorithm, then a shuffle. */
  choice(n: number, size: number): Int32Array {
    const chosen = new Set<number>();
    for (let last = n - size; last < n; last++) {
      const drawn = this.below(last + 1);
      chosen.add(chosen.has(drawn) ? last : drawn);
    }
    const list = Int32Array.from(chosen);
    for (let i = size - 1; i >= 1; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }
}
