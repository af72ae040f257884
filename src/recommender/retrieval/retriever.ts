import { between, checked, group, type Rules } from "../../check/index.js";
import { type Filter, type Id, SOURCES, type Source } from "../../protocol/index.js";
import {
  type CatalogStream,
  type Catalogue,
  isMoreViewed,
  isNewer,
  type Pair,
  type UserProfile,
} from "../state/index.js";
import { checkedFilter, Gate } from "./gate.js";
import type { Towers } from "./towers.js";

/** Places kept for each source, as shares of all, in [0, 1], at most 1 together. Other sources fill empty places. */
export interface SourceShares {
  /** Streams of streamers that the user has visited or followed. Default .375. [set by hand] */
  favourite: number;
  /** Streams that the user's friends watch. Default .0625. [set by hand] */
  friend: number;
  /** The newest streams, which nobody knows yet. Default .125. [set by hand] */
  newest: number;
  /** Streams nearest to the user by dot product of their vectors. Default .25. [set by hand] */
  similar: number;
  /** Streams with the most viewers. Default .1875. [set by hand] */
  popular: number;
}

export interface RetrievalOptions {
  /** Share of the candidates that is kept for each source. */
  shares: Partial<SourceShares>;
  /** A filter for every request, beside its own. Default: none. */
  filter: Filter;
}

const SHARES: SourceShares = { favourite: 0.375, friend: 0.0625, newest: 0.125, similar: 0.25, popular: 0.1875 };

const SHARE_TABLE: Rules<SourceShares> = {
  favourite: between(0, 1),
  friend: between(0, 1),
  newest: between(0, 1),
  similar: between(0, 1),
  popular: between(0, 1),
};

const TABLE: Rules<RetrievalOptions> = { shares: group, filter: group };

/** Sources that fill empty places, in this order: familiar streams, then fitting ones, then popular ones. */
const FILLERS = ["favourite", "similar", "popular"] as const satisfies readonly Source[];
/** Most streams in the requested categories, in multiples of `max`, that are checked one by one. */
const FEW = 4;
/** Streamers with most of a user's minutes that are always among the candidates. [set by hand] */
const DEAREST = 16;
/** The share of the candidates that they, and followed streamers, take at most: others are to be found too. */
const DEAR_SHARE = 0.75;
/** Rows of the towers that a search refreshes. */
const REFRESHED = 64;

/** A query for candidates. */
export interface Query {
  user: Id;
  now: number;
  /** Most candidates, at least 1. */
  max: number;
  /** Streamers dear to the user, the dearest first. */
  favourites: Iterable<Id>;
  /** Streamers whose streams come first, before all shares, up to three quarters of the candidates. Default: none. */
  dear?: Iterable<Id>;
  /** Streamers that the user's friends watch now; a streamer may appear twice. Default: none. */
  friends?: Iterable<Id>;
  /** Streams to choose from. Default: all on air. */
  candidates?: readonly Id[];
  /** A filter beside that of the options. Default: none. */
  filter?: Filter;
  /** When the user last entered or left a stream of a streamer, milliseconds. Default: never. */
  lastVisit?: (streamer: Id) => number;
  /** Gets the sources that also proposed a stream which another one had brought. Default: they are not kept. */
  also?: Map<CatalogStream, Set<Source>>;
}

/** Candidates, each once, with the source that brought it. */
export interface Retrieved {
  readonly streams: readonly CatalogStream[];
  readonly sources: readonly Source[];
}

/**
 * A user's streamers, the latest visited first, then other followed ones, the latest first; without streamers that the
 * user dislikes more than likes.
 */
export function favouritesOf({ pairs, follows }: UserProfile): Id[] {
  const favourites: Id[] = [];
  for (const streamer of follows?.keys() ?? []) if (!pairs.has(streamer)) favourites.push(streamer);
  for (const [streamer, pair] of pairs) if (isLiked(pair)) favourites.push(streamer);
  return favourites.reverse();
}

/**
 * The 16 streamers with most of the user's minutes, then followed ones, the latest first; without streamers that the
 * user dislikes more than likes. A streamer may appear twice. Computed when first read: most requests need none.
 */
export function* dearestOf({ pairs, follows }: UserProfile): Generator<Id> {
  const watched = [...pairs].filter(([, pair]) => pair.minutes > 0 && isLiked(pair));
  watched.sort(([, one], [, other]) => other.minutes - one.minutes);
  for (const [streamer] of watched.slice(0, DEAREST)) yield streamer;
  for (const streamer of [...(follows?.keys() ?? [])].reverse()) if (isLiked(pairs.get(streamer))) yield streamer;
}

function isLiked(pair: Pair | undefined): boolean {
  return pair === undefined || pair.dislikes <= pair.approvals;
}

/**
 * Finds the streams to score for a request. They are on air, pass the filters, and appear once.
 *
 * When at most `max` streams are possible, it returns all: requested ones in their order, otherwise the most viewed
 * first. Else one stream of each dear streamer comes first, and each source fills its places, so that none crowds out the
 * others. The result depends on the streams on air, never on the order of their arrival: ties within a source go by the
 * lower id.
 */
export class Retriever {
  readonly options: Readonly<{ shares: SourceShares; filter: Filter }>;
  readonly #catalog: Catalogue;
  readonly #towers: Towers | undefined;
  readonly #gate: Gate;

  /**
   * @param towers - Towers that follow the same catalogue, for the source `similar`. Default: no such source.
   * @throws TypeError or RangeError when an option is unknown or out of its range.
   */
  constructor(catalog: Catalogue, options: Partial<RetrievalOptions> = {}, towers?: Towers) {
    const given = checked(options, TABLE, { shares: {}, filter: {} }, "retrieval.");
    const shares = checked(given.shares, SHARE_TABLE, SHARES, "retrieval.shares.");
    const sum = SOURCES.reduce((total, source) => total + shares[source], 0);
    if (sum > 1 + 1e-9) throw new RangeError(`"retrieval.shares" must be at most 1 together, got ${sum}`);
    this.options = { shares, filter: checkedFilter(given.filter, "retrieval.filter.") };
    this.#catalog = catalog;
    this.#towers = towers;
    this.#gate = new Gate(this.options.filter);
  }

  retrieve(query: Query): Retrieved {
    const { now, max } = query;
    const own = this.#gateOf(query);
    const passes = (stream: CatalogStream) => this.#gate.passes(stream, now) && own.passes(stream, now);
    const among = this.#few(query, own)?.filter(passes);
    if (among !== undefined && among.length <= max) return all(among);
    if (among === undefined && this.#catalog.size <= max) return all([...this.#catalog.popular].filter(passes));
    this.#towers?.refresh(REFRESHED);
    const pool = among && new Set(among);
    const accepts = pool ? (stream: CatalogStream) => pool.has(stream) : passes;
    const brought = this.#sources(query, accepts, among);
    const chosen = new Map<CatalogStream, Source>();
    const fill = (source: Source, streams: Iterator<CatalogStream>, places: number) => {
      let left = Math.min(places, max - chosen.size);
      if (left < 1) return;
      // By hand, as `for` would close the iterator: a source continues where it stopped.
      for (let next = streams.next(); !next.done; next = streams.next()) {
        const first = chosen.get(next.value);
        if (first !== undefined && first !== source && query.also !== undefined) {
          query.also.set(next.value, (query.also.get(next.value) ?? new Set()).add(source));
        }
        if (first !== undefined || !accepts(next.value)) continue;
        chosen.set(next.value, source);
        if (--left === 0) return;
      }
    };
    fill("favourite", this.#dear(query, accepts), Math.floor(max * DEAR_SHARE));
    const dear = chosen.size;
    for (const source of SOURCES) {
      const places = Math.floor(max * this.options.shares[source]);
      fill(source, brought[source], source === "favourite" ? places - dear : places);
    }
    for (const source of FILLERS) fill(source, brought[source], max);
    return { streams: [...chosen.keys()], sources: [...chosen.values()] };
  }

  /** What the filter of a query lets pass, with what that of the options says about the user. */
  #gateOf({ user, filter = {}, lastVisit = () => Number.NEGATIVE_INFINITY }: Query): Gate {
    const { own = false, seenWithinMs = 0 } = this.options.filter;
    const longest = Math.max(filter.seenWithinMs ?? 0, seenWithinMs);
    return new Gate({ ...filter, own: filter.own ?? own, seenWithinMs: longest }, { user, lastVisit });
  }

  /** The streams that a query names, or the streams of its categories when few; undefined for an open query. */
  #few({ candidates, max }: Query, own: Gate): readonly CatalogStream[] | undefined {
    if (candidates !== undefined) return this.#catalog.among(candidates);
    const categories = own.categories ?? this.#gate.categories;
    if (categories === undefined) return undefined;
    const groups = [...categories].map((category) => this.#catalog.within(category));
    if (groups.reduce((sum, streams) => sum + streams.size, 0) > FEW * max) return undefined;
    return sorted(
      groups.flatMap((streams) => [...streams]),
      isMoreViewed,
    );
  }

  /** The most viewed accepted stream of each dear streamer. */
  *#dear({ dear = [] }: Query, accepts: (stream: CatalogStream) => boolean): Generator<CatalogStream> {
    for (const streamer of dear) {
      const stream = sorted(this.#catalog.of(streamer), isMoreViewed).find(accepts);
      if (stream !== undefined) yield stream;
    }
  }

  /** The streams that each source offers, best first; not all may be accepted. */
  #sources(
    { user, max, favourites, friends = [] }: Query,
    accepts: (stream: CatalogStream) => boolean,
    among: readonly CatalogStream[] | undefined,
  ): Record<(typeof SOURCES)[number], Iterator<CatalogStream>> {
    const similar = this.#towers?.nearest(user, max, accepts, among) ?? [];
    const streamsOf = (streamer: Id) => sorted(this.#catalog.of(streamer), isMoreViewed);
    return {
      favourite: [...favourites].flatMap(streamsOf).values(),
      friend: [...friends].flatMap(streamsOf).values(),
      newest: (among ? sorted(among, isNewer) : this.#catalog.newest)[Symbol.iterator](),
      similar: similar.values(),
      popular: (among ? sorted(among, isMoreViewed) : this.#catalog.popular)[Symbol.iterator](),
    };
  }
}

function all(streams: readonly CatalogStream[]): Retrieved {
  return { streams, sources: streams.map(() => "all") };
}

/** A sorted copy; `before` is a total order. */
function sorted<T>(items: Iterable<T>, before: (a: T, b: T) => boolean): T[] {
  return [...items].sort((a, b) => (before(a, b) ? -1 : 1));
}
