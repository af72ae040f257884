import { exponential, Random } from "../../numeric/index.js";
import { type Id, MINUTE } from "../../protocol/index.js";
import { TOPICS } from "./content.js";
import type { Stream } from "./streamers.js";
import { REGIONS, type Traits } from "./traits.js";

/** How strongly viewers follow each cause, in [0, 1]; 0: not at all. */
export interface ViewerCauses {
  /** A lively chat marks the stream that is good now, whoever streams; `comment` events carry it. Default 0. */
  chat: number;
  /** Viewers like one kind of picture, which neither category nor tags show; the embedding of the cover does. Default 0. */
  picture: number;
  /** Viewers of a region prefer streamers of the same topics; `user` events carry the region. Default 0. */
  region: number;
  /** Friends follow and watch the same streamers; `friend` and `follow` events carry it. Default 0. */
  friends: number;
}

type CauseName = keyof ViewerCauses;

export const NO_CAUSES: ViewerCauses = { chat: 0, picture: 0, region: 0, friends: 0 };
const NAMES = Object.keys(NO_CAUSES) as CauseName[];

/** Kinds of pictures, and groups of regions: by every cause a quarter of the streams fits. All numbers here are set by hand. */
const KINDS = 4;
const SHARE = 1 / KINDS;
/** Inclination that a stream loses where it does not fit, relative to the gain where it fits. */
const LOSS = 0.5;

/** Mean length of a lively phase of a chat; the phases between are longer, so that `SHARE` of the time is lively. */
const LIVELY_TIME = 40 * MINUTE;
const CALM_TIME = LIVELY_TIME * (1 / SHARE - 1);
/** Mean time between two comments. */
const LIVELY_GAP = MINUTE / 4;
const CALM_GAP = 5 * MINUTE;
/** Guests of each streamer, from outside the simulation, who write the comments. */
const GUESTS = 10;

/** Numbers in a cover's embedding, and how far a cover lies from the centre of its kind, relative to the centres' spread. */
const COVER = 32;
const COVER_NOISE = 0.5;

/** Viewers of a circle of friends, who follow the same streamers: neighbours in the ring of all friendships. */
const CIRCLE = 15;
/** Chance in each session that a viewer follows a streamer of the circle who is on air. */
const FOLLOW_CHANCE = 0.05;

/** The traits of a viewer on which causes depend. */
export interface CausedViewer {
  readonly index: number;
  readonly traits: Traits;
}

/** The time to the end of a phase of a chat, milliseconds. */
export function drawPhaseMs({ isLively }: Stream, random: Random): number {
  return Math.ceil(exponential(random, isLively ? LIVELY_TIME : CALM_TIME));
}

/** The time to the next comment, milliseconds, and the guest who writes it. */
export function drawComment(stream: Stream, random: Random): { waitMs: number; user: Id } {
  const waitMs = Math.ceil(exponential(random, stream.isLively ? LIVELY_GAP : CALM_GAP));
  return { waitMs, user: `guest-${stream.streamer.index}-${random.below(GUESTS)}` };
}

/**
 * Which streams fit which viewers by the causes that are on.
 *
 * Every number comes from a generator of its own name: the rest of a world is the same with a cause and without it.
 */
export class Causes {
  readonly #seed: number;
  readonly #strengths: ViewerCauses;
  readonly #active: readonly CauseName[];
  /** For each topic the group of regions that prefers its streamers. */
  readonly #groups = new Uint8Array(TOPICS.length);

  constructor(seed: number, strengths: Partial<ViewerCauses> = {}) {
    this.#seed = seed;
    this.#strengths = { ...NO_CAUSES, ...strengths };
    this.#active = NAMES.filter((name) => this.has(name));
    const dealt = Random.named(seed, "region topics").shuffle([...TOPICS.keys()]);
    for (const [i, topic] of dealt.entries()) this.#groups[topic] = i % KINDS;
  }

  has(name: CauseName): boolean {
    return this.#strengths[name] > 0;
  }

  /** Whether a stream fits a viewer now by every cause that is on. */
  fits(viewer: CausedViewer, stream: Stream): boolean {
    return this.#active.every((name) => this.#fitsBy(name, viewer, stream));
  }

  /** The sum over the causes that are on: plus its strength where the stream fits, minus half of it elsewhere. */
  inclination(viewer: CausedViewer, stream: Stream): number {
    let sum = 0;
    for (const name of this.#active) sum += this.#strengths[name] * (this.#fitsBy(name, viewer, stream) ? 1 : -LOSS);
    return sum;
  }

  /** Whether the chat of a stream begins in a lively phase. */
  startsLively(random: Random): boolean {
    return random.bernoulli(SHARE);
  }

  /** Draws the chat of a stream. */
  chatRandom(stream: Stream): Random {
    return Random.named(this.#seed, "chat", stream.id);
  }

  /** (32) the embedding of a stream's cover, of three decimals. */
  cover(stream: Stream): number[] {
    const centre = Random.named(this.#seed, "cover centre", this.#pictureOf(stream));
    const noise = Random.named(this.#seed, "cover", stream.id);
    return Array.from({ length: COVER }, () => {
      const component = centre.normal() + COVER_NOISE * noise.normal();
      return Math.round(component * 1000) / 1000;
    });
  }

  /** The viewers of the same circle with a larger index, of n viewers; none where viewers do not follow friends. */
  laterInCircle(index: number, n: number): number[] {
    const later: number[] = [];
    if (!this.has("friends")) return later;
    for (let i = index + 1; i < n && i % CIRCLE !== 0; i++) later.push(i);
    return later;
  }

  /** The streams whose streamers a viewer follows on arrival, as the circle of friends does. */
  *newlyFollowed(
    viewer: CausedViewer & { readonly sessions: number },
    streams: Iterable<Stream>,
  ): Generator<Stream, void> {
    const random = Random.named(this.#seed, "follows", viewer.index, viewer.sessions);
    for (const stream of streams) {
      if (this.#fitsBy("friends", viewer, stream) && random.bernoulli(FOLLOW_CHANCE)) yield stream;
    }
  }

  #fitsBy(name: CauseName, viewer: CausedViewer, stream: Stream): boolean {
    const { index, topic } = stream.streamer;
    switch (name) {
      case "chat":
        return stream.isLively;
      case "picture":
        return this.#pictureOf(stream) === Random.named(this.#seed, "picture taste", viewer.index).below(KINDS);
      case "region":
        return REGIONS.indexOf(viewer.traits.region) % KINDS === this.#groups[topic];
      case "friends": {
        const circle = Math.floor(viewer.index / CIRCLE);
        return Random.named(this.#seed, "circle", circle, index).bernoulli(SHARE);
      }
    }
  }

  /** The kind of a stream's picture. */
  #pictureOf(stream: Stream): number {
    return Random.named(this.#seed, "picture", stream.id).below(KINDS);
  }
}
