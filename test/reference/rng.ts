const MULTIPLIER = 6364136223846793005n;
const MASK_64 = (1n << 64n) - 1n;
const MASK_32 = 0xffffffffn;

/** PCG32 in BigInt: the naive twin of assembly/rng.ts. O'Neill 2014. */
export class Pcg32 {
  state = 0n;
  readonly increment: bigint;

  constructor(state: bigint, increment: bigint) {
    this.state = state;
    this.increment = increment;
  }

  static seeded(seed: bigint, stream: bigint): Pcg32 {
    const rng = new Pcg32(0n, ((stream << 1n) | 1n) & MASK_64);
    rng.next();
    rng.state = (rng.state + seed) & MASK_64;
    rng.next();
    return rng;
  }

  next(): number {
    const old = this.state;
    this.state = (old * MULTIPLIER + this.increment) & MASK_64;
    const xorshifted = (((old >> 18n) ^ old) >> 27n) & MASK_32;
    const rotation = old >> 59n;
    return Number(((xorshifted >> rotation) | (xorshifted << (32n - rotation))) & MASK_32);
  }

  uniform(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Lemire's method, by its definition: reject the products whose low half is below 2^32 mod n. */
  below(n: number): number {
    const threshold = Number((1n << 32n) % BigInt(n));
    for (;;) {
      const product = BigInt(this.next()) * BigInt(n);
      if (Number(product & MASK_32) >= threshold) return Number(product >> 32n);
    }
  }
}
