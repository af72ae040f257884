import { checked, integer, nonNegative, type Rules } from "../../check/index.js";

/** How many requests a client may send. A client is a token; without one that is known, an address. */
export interface RateOptions {
  /** Requests a second of one client in the long run; 0: any number. Default 0. */
  rate: number;
  /** Requests of one client at once, after a while without any. Default 100. */
  burst: number;
  /** Clients that are counted each for itself; more of them share. Default 10 000. */
  clients: number;
}

const RULES: Rules<RateOptions> = { rate: nonNegative, burst: integer(1, 2 ** 31 - 1), clients: integer(1, 2 ** 20) };
const DEFAULTS: RateOptions = { rate: 0, burst: 100, clients: 10_000 };

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedRates(options: Partial<RateOptions>): RateOptions {
  return checked(options, RULES, DEFAULTS, "limits.");
}

interface Bucket {
  tokens: number;
  at: number;
}

/** All clients that find no place of their own. */
const OTHERS = "";

/**
 * Token buckets, one a client: each holds `burst` requests and fills by `rate` a second. Their number is bounded: a place
 * goes to another client once its bucket is full again, which is as if it had never been there; without such a place
 * newcomers share one bucket, so that no number of addresses is a way around.
 */
export class RateLimits {
  readonly #options: RateOptions;
  /** The bucket that was used longest ago comes first. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #others: Bucket;

  constructor(options: Partial<RateOptions>) {
    this.#options = checkedRates(options);
    this.#others = { tokens: this.#options.burst, at: Number.NEGATIVE_INFINITY };
  }

  /** Buckets that are in use. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one request of a client.
   *
   * @param now Milliseconds; a clock that goes back gives nothing, and takes nothing.
   * @returns 0 if it may be answered, else the seconds until the next one may, at least 1.
   */
  take(client: string, now: number): number {
    const { rate } = this.#options;
    if (rate === 0) return 0;
    const bucket = this.#bucketOf(client, now);
    this.#fill(bucket, now);
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - bucket.tokens) / rate));
  }

  #bucketOf(client: string, now: number): Bucket {
    const known = client === OTHERS ? this.#others : this.#buckets.get(client);
    if (known === this.#others) return known;
    if (known !== undefined) {
      this.#buckets.delete(client);
      this.#buckets.set(client, known);
      return known;
    }
    if (this.#buckets.size >= this.#options.clients) {
      const [[oldest, bucket]] = this.#buckets as unknown as [[string, Bucket]];
      this.#fill(bucket, now);
      if (bucket.tokens < this.#options.burst) return this.#others;
      this.#buckets.delete(oldest);
    }
    const made = { tokens: this.#options.burst, at: now };
    this.#buckets.set(client, made);
    return made;
  }

  #fill(bucket: Bucket, now: number): void {
    const { rate, burst } = this.#options;
    if (now > bucket.at) bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
  }
}

/** Longest address that is told apart. */
const ADDRESS_MAX = 64;

/**
 * What stands for a client in its address: IPv4 as it is, also within IPv6; of IPv6 the network of 64 bits, since a host has
 * all of it.
 */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return OTHERS;
  const short = address.slice(0, ADDRESS_MAX).toLowerCase();
  if (short.startsWith("::ffff:") && short.includes(".")) return short.slice("::ffff:".length);
  if (!short.includes(":")) return short;
  const [head = "", tail] = short.split("%", 1)[0]!.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const all =
    tail === undefined
      ? groups
      : [...groups, ...new Array(Math.max(0, 8 - groups.length - rest.length)).fill("0"), ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
