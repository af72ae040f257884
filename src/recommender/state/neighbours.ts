import {
  above,
  checked,
  fields,
  finite,
  integer,
  nonNegative,
  or,
  positive,
  type Rules,
  requireShape,
  type Shape,
} from "../../check/index.js";
import { Album } from "../../collections/index.js";
import type { Part, PartReader } from "../../engine/index.js";
import { exp } from "../../numeric/index.js";
import { type Id, WEEK, WRONG_CLOCK_MS } from "../../protocol/index.js";
import { ByteWriter, framedPart, framedReader, requireNew } from "./packed/index.js";
import { Visits } from "./visits.js";

export interface NeighbourOptions {
  /** Milliseconds until a visit counts half. Default 4 weeks. */
  halfLifeMs: number;
  /** Added to the root of the product of two streamers' visits, so that a few shared users weigh little. Default 5. */
  shrinkage: number;
  /** Weight of a streamer relative to the next one that the user liked, (0, 1]. Default 0.98. */
  recency: number;
  /** Users remembered, [1, 1e7]. Default 50 000. */
  users: number;
  /** Streamers remembered of a user, [1, 1024]. Default 64. */
  history: number;
  /** Streamers remembered, [1, 1e7]. Default 50 000. */
  streamers: number;
  /** Neighbours remembered of a streamer, [2, 65536]; beyond, the weakest eighth is forgotten. Default 256. */
  neighbours: number;
}

export const NEIGHBOURS: Readonly<NeighbourOptions> = {
  halfLifeMs: 4 * WEEK,
  shrinkage: 5,
  recency: 0.98,
  users: 50_000,
  history: 64,
  streamers: 50_000,
  neighbours: 256,
};

export const NEIGHBOUR_TABLE: Rules<NeighbourOptions> = {
  halfLifeMs: positive,
  shrinkage: nonNegative,
  recency: above(0, 1),
  users: integer(1, 1e7),
  history: integer(1, 1024),
  streamers: integer(1, 1e7),
  neighbours: integer(2, 65_536),
};

/** Half-lives in which the weight of new visits may grow before all are divided by it. */
const GROWTH = 64;
/** Half-lives after which a visit weighs nothing. */
const FADED = 1000;

/** Visits of a streamer, and visits in common with others. */
interface Audience {
  visits: number;
  /** Visits in common, by streamer. */
  common: Map<Id, number>;
}

/** How near a streamer is to the streamers that a user liked. */
export interface Nearness {
  /** Sum of the similarities to all of them, itself included, each weighted by recency: 0 or more. */
  all: number;
  /** The same without itself, and the sum of the weights. */
  others: number;
  weight: number;
  /** The largest similarity to another, [0, 1]. */
  nearest: number;
}

/** The plain values of `Neighbours.save`. */
export interface SavedNeighbours {
  origin: number | undefined;
}

/** Later visits weigh more: up to 2^64. */
const WEIGHT_MAX = 1e30;

const SAVED: Shape = fields<SavedNeighbours>({ origin: or(undefined, finite) });

/**
 * Item-based nearest neighbours, online: two streamers are near when the same users liked both.
 *
 * The similarity is the cosine of who liked them, common / (sqrt(visits * visits) + shrinkage), where a pair counts
 * from its second visit and fades from then on. Instead of fading every count, each new one weighs more than the last
 * (Cormode et al. 2009, "Forward Decay"). A user counts once for each remembered streamer, and for at most `history`
 * faded visits in all: an account that visits streamers in rounds counts as two or three.
 *
 * Sarwar et al. 2001, "Item-Based Collaborative Filtering Recommendation Algorithms"; `ItemKnn` computes the same from
 * a log.
 */
export class Neighbours {
  readonly options: Readonly<NeighbourOptions>;
  /** With the total weight of the counted visits of each user. */
  readonly #visits: Visits;
  readonly #audiences: Album<Id, Audience>;
  /** The time at which a visit weighs 1. */
  #origin: number | undefined;
  /** Streamers that the current user liked, the latest first, and the shrinkage at that time. */
  #liked: readonly Id[] = [];
  #shrinkage = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of range. */
  constructor(options: Partial<NeighbourOptions> = {}) {
    this.options = checked(options, NEIGHBOUR_TABLE, NEIGHBOURS);
    const { users, history, streamers } = this.options;
    this.#visits = new Visits(users, history);
    this.#audiences = new Album(streamers, ({ visits, common }) => ({ visits, common: new Map(common) }));
  }

  /** A user liked a streamer. */
  learn(user: Id, streamer: Id, now: number): void {
    const before = this.#visits.of(user);
    if (!this.#visits.add(user, streamer)) return;
    const weight = this.#weightAt(now);
    const counted = this.#visits.weight(user);
    if (counted + weight > weight * this.options.history) return;
    this.#visits.setWeight(user, counted + weight);
    const own = this.#audiences.get(streamer) ?? { visits: 0, common: new Map() };
    this.#audiences.keep(streamer);
    this.#audiences.set(streamer, own);
    own.visits += weight;
    for (const other of before) {
      const audience = this.#audiences.get(other);
      if (audience === undefined) continue;
      this.#audiences.keep(other);
      this.#join(own, other, weight);
      this.#join(audience, streamer, weight);
    }
  }

  /** The next reads are for this user at this time. */
  begin(user: Id, now: number): void {
    this.#liked = this.#visits.of(user).reverse();
    this.#shrinkage = this.options.shrinkage * exp(Math.LN2 * Math.min(this.#halfLivesAt(now), FADED));
  }

  /** Writes how near a streamer is. Returns false, and writes nothing, for a streamer without remembered visits. */
  read(streamer: Id, out: Nearness): boolean {
    const audience = this.#audiences.get(streamer);
    if (audience === undefined) return false;
    const { recency } = this.options;
    out.all = out.others = out.weight = out.nearest = 0;
    let weight = 1;
    for (const other of this.#liked) {
      const isItself = other === streamer;
      const common = isItself ? audience.visits : (audience.common.get(other) ?? 0);
      const visits = common > 0 ? (this.#audiences.get(other)?.visits ?? 0) : 0;
      const similarity = visits > 0 ? common / (Math.sqrt(audience.visits * visits) + this.#shrinkage) : 0;
      out.all += weight * similarity;
      if (!isItself) {
        out.others += weight * similarity;
        out.weight += weight;
        out.nearest = Math.max(out.nearest, similarity);
      }
      weight *= recency;
    }
    return true;
  }

  /** Forgets the streamers that a user liked. The counts of pairs stay: they name nobody. */
  forget(user: Id): void {
    this.#visits.delete(user);
  }

  /** Forgets a streamer, and its pairs with others. */
  forgetStreamer(streamer: Id): void {
    this.#visits.deleteStreamer(streamer);
    this.#audiences.delete(streamer);
    for (const [other, { common }] of this.#audiences) {
      if (!common.has(streamer)) continue;
      this.#audiences.keep(other);
      common.delete(streamer);
    }
  }

  /** The visits of users. */
  get visits(): Visits {
    return this.#visits;
  }

  /** Plain values beside those of `parts`. */
  save(): SavedNeighbours {
    return { origin: this.#origin };
  }

  /** Restores the values of `save`. */
  load(saved: SavedNeighbours): void {
    requireShape(SAVED, saved, "neighbours");
    this.#origin = saved.origin;
  }

  /** The parts of a save: the visits of users, and the audiences of streamers. */
  parts(name: string): Part[] {
    return [this.#visits.part(name), this.#part(`${name}.audiences`)];
  }

  /** Readers of such parts, in their order, into an empty table of the same options. */
  readers(name: string): [name: string, reader: PartReader][] {
    const audiences = `${name}.audiences`;
    return [
      [name, this.#visits.reader(name)],
      [audiences, this.#reader(audiences)],
    ];
  }

  /** For each streamer id, visits and common ones, each name in full at its first use. */
  #part(name: string): Part {
    const picture = this.#audiences.picture();
    function* frames() {
      const numbers = new Map<Id, number>();
      const out = new ByteWriter();
      for (const [streamer, { visits, common }] of picture.entries()) {
        out.clear().text(streamer);
        out.f64(visits);
        out.varint(common.size);
        for (const [other, weight] of common) {
          const known = numbers.get(other);
          out.varint(known ?? numbers.size);
          if (known === undefined) {
            numbers.set(other, numbers.size);
            out.text(other);
          }
          out.f64(weight);
        }
        yield out.bytes.subarray(0, out.length);
      }
    }
    return framedPart(name, frames, { release: () => picture.close() });
  }

  #reader(name: string): PartReader {
    const texts: Id[] = [];
    const known = new Set<Id>();
    return framedReader(name, (frame) => {
      frame.what = `${name}.${this.#audiences.size}`;
      const streamer = frame.text();
      requireNew(this.#audiences, streamer, frame.what);
      const visits = frame.number(0, WEIGHT_MAX, "visits");
      const common = new Map<Id, number>();
      const count = frame.count(this.options.neighbours, "common");
      for (let n = 0; n < count; n++) {
        const number = frame.count(texts.length, "name");
        if (number === texts.length) {
          texts.push(frame.text());
          if (known.has(texts[number]!)) frame.fail("of new names");
          known.add(texts[number]!);
        }
        common.set(texts[number]!, frame.number(0, WEIGHT_MAX, "weight"));
      }
      if (common.size < count) frame.fail("of streamers that differ");
      this.#audiences.set(streamer, { visits, common });
    });
  }

  #join(audience: Audience, other: Id, weight: number): void {
    const { common } = audience;
    const { neighbours } = this.options;
    common.set(other, (common.get(other) ?? 0) + weight);
    if (common.size <= neighbours) return;
    // A sort by weight keeps the order of the map where weights are equal.
    const entries = [...common].sort(([, a], [, b]) => b - a);
    audience.common = new Map(entries.slice(0, Math.max(1, neighbours - (neighbours >> 3))));
  }

  #halfLivesAt(now: number): number {
    return (now - (this.#origin ?? now)) / this.options.halfLifeMs;
  }

  /** Weight of a visit at `now`. Moves the origin, and all weights with it, before numbers grow out of bounds. */
  #weightAt(now: number): number {
    this.#origin ??= now;
    if (this.#origin - now > WRONG_CLOCK_MS) this.#origin = now;
    let halfLives = this.#halfLivesAt(now);
    if (halfLives > GROWTH) {
      const factor = exp(-Math.LN2 * Math.min(halfLives, FADED));
      this.#visits.scale(factor);
      for (const [streamer, audience] of this.#audiences) {
        this.#audiences.keep(streamer);
        audience.visits *= factor;
        for (const [other, common] of audience.common) audience.common.set(other, common * factor);
      }
      this.#origin = now;
      halfLives = 0;
    }
    return exp(Math.LN2 * halfLives);
  }
}
