import { lognormal } from "../../../src/numeric/distributions.js";
/** Speed and memory of the catalogue and of retrieval as more and more is on air. */

import { Random } from "../../../src/numeric/index.js";
import type { LiveEvent } from "../../../src/protocol/index.js";
import { Towers, type Vectors } from "../../../src/recommender/retrieval/index.js";
import { type Query, Retriever } from "../../../src/recommender/retrieval/retriever.js";
import { type CatalogStream, Catalogue } from "../../../src/recommender/state/catalogue.js";
import type { Result } from "../../harness/suite.js";
import { liveBytes } from "./memory.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

const SIZES = [1000, 10_000, 100_000];
const CATEGORIES = 200;
const LANGUAGES = 40;
const DIMENSIONS = 32;
const USERS = 512;
/** Candidates of a request, as the recommender's default. */
const MAX = 256;
/** Share of the streams that a search of the towers multiplies, when not all. */
const PROBE = 0.05;
/** Streams of which recall is taken. */
const TOP = 200;
const START = 1_700_000_000_000;

/** Vectors around a centre for each category, as those that are learned are; users are near three centres. */
class Clustered implements Vectors {
  readonly size = DIMENSIONS;
  readonly #centres: Float32Array;
  readonly #streamers: Float32Array;
  readonly #users = new Float32Array(USERS * DIMENSIONS);

  constructor(seed: number, streams: number) {
    const random = Random.named(seed, "vectors");
    this.#centres = this.#normals(Random.named(seed, "centres"), CATEGORIES);
    this.#streamers = this.#normals(random, streams);
    for (let user = 0; user < USERS; user++) {
      for (let liked = 0; liked < 3; liked++) {
        const centre = random.below(CATEGORIES);
        for (let i = 0; i < DIMENSIONS; i++) {
          this.#users[user * DIMENSIONS + i]! += this.#centres[centre * DIMENSIONS + i]!;
        }
      }
    }
  }

  readUser(user: string, out: Float32Array, offset: number): boolean {
    const row = Number(user.slice(1)) * DIMENSIONS;
    for (let i = 0; i < DIMENSIONS; i++) out[offset + i] = this.#users[row + i]!;
    return true;
  }

  readStreamer(streamer: string, category: string, out: Float32Array, offset: number): boolean {
    const row = Number(streamer.slice(1)) * DIMENSIONS;
    const centre = Number(category.slice(1)) * DIMENSIONS;
    for (let i = 0; i < DIMENSIONS; i++) {
      out[offset + i] = this.#centres[centre + i]! + 0.5 * this.#streamers[row + i]!;
    }
    return true;
  }

  #normals(random: Random, rows: number): Float32Array {
    return Float32Array.from({ length: rows * DIMENSIONS }, () => random.normal());
  }
}

/** Streams with viewers and categories of long tails, one a streamer. */
function arrivals(streams: number, random: Random): LiveEvent[] {
  return Array.from({ length: streams }, (_, i) => ({
    kind: "on_air",
    time: START + i,
    stream: `stream-${i}`,
    streamer: `r${i}`,
    category: `c${Math.floor(CATEGORIES * random.uniform() * random.uniform())}`,
    tags: [`t${random.below(500)}`, `t${random.below(500)}`],
    title: `What I do today, part ${i}`,
    language: `l${Math.floor(LANGUAGES * random.uniform() * random.uniform())}`,
  }));
}

function updates(streams: number, n: number, random: Random): LiveEvent[] {
  return Array.from({ length: n }, (_, i) => ({
    kind: "update",
    time: START + streams + i,
    stream: `stream-${random.below(streams)}`,
    viewers: Math.floor(lognormal(random, 5, 2)),
  }));
}

function clicks(streams: number, n: number, random: Random): LiveEvent[] {
  return Array.from({ length: n }, (_, i) => ({
    kind: "click",
    time: START + 2 * streams + i,
    user: `user-${random.below(n)}`,
    stream: `stream-${random.below(streams)}`,
  }));
}

function departures(streams: number, random: Random): LiveEvent[] {
  const ids = random.shuffle(Array.from({ length: streams }, (_, i) => i));
  return ids.map((i) => ({ kind: "off_air", time: START + 4 * streams, stream: `stream-${i}` }));
}

/** Events a second. */
function rateOf(catalog: Catalogue, events: readonly LiveEvent[]): number {
  const from = performance.now();
  for (const event of events) catalog.feedback(event);
  return (1000 * events.length) / (performance.now() - from);
}

/** The median time of calls, in microseconds. */
function medianUs(calls: number, call: (i: number) => unknown): number {
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const from = performance.now();
    call(i);
    times[i] = 1000 * (performance.now() - from);
  }
  return times.sort()[calls >> 1]!;
}

function query(i: number, random: Random, more: Partial<Query> = {}): Query {
  const favourites = Array.from({ length: 48 }, () => `r${random.below(2000)}`);
  return { user: `u${i % USERS}`, now: START + 1e6, max: MAX, favourites, ...more };
}

/** Share of the streams of largest product, by sorting all of them, that the towers give. */
function recall(catalog: Catalogue, towers: Towers, vectors: Vectors): number {
  const row = new Float32Array(DIMENSIONS);
  const own = new Float32Array(DIMENSIONS);
  let found = 0;
  const users = 10;
  for (let user = 0; user < users; user++) {
    vectors.readUser(`u${user}`, own, 0);
    const product = (stream: CatalogStream) => {
      vectors.readStreamer(stream.streamer, stream.category, row, 0, []);
      return row.reduce((sum, value, i) => sum + value * own[i]!, 0);
    };
    const scored = catalog.streams.map((stream) => ({ stream, score: product(stream) }));
    const best = new Set(
      scored
        .sort((a, b) => b.score - a.score)
        .slice(0, TOP)
        .map(({ stream }) => stream),
    );
    for (const stream of towers.nearest(`u${user}`, TOP, () => true)) found += best.has(stream) ? 1 : 0;
  }
  return found / (users * Math.min(TOP, catalog.size));
}

/** Microseconds a request, of retrieval of several kinds. */
function retrievals(catalog: Catalogue, towers: Towers, probed: Towers): [metric: string, us: number][] {
  const random = Random.named(1, "queries");
  const plain = new Retriever(catalog);
  const time = (retriever: Retriever, more?: Partial<Query>) => {
    const queries = Array.from({ length: 100 }, (_, i) => query(i, random, more));
    return medianUs(queries.length, (i) => retriever.retrieve(queries[i]!));
  };
  const search = (of: Towers) => medianUs(100, (i) => of.nearest(`u${i}`, TOP, () => true));
  const rare = { filter: { languages: [`l${LANGUAGES / 2}`] } };
  return [
    ["retrieval_us", time(plain)],
    ["retrieval_with_towers_us", time(new Retriever(catalog, {}, towers))],
    ["retrieval_with_probed_towers_us", time(new Retriever(catalog, {}, probed))],
    ["towers_us", search(towers)],
    ["probed_towers_us", search(probed)],
    ["retrieval_rare_language_us", time(plain, rare)],
    ["retrieval_rare_category_us", time(plain, { filter: { categories: { include: [`c${CATEGORIES / 2}`] } } })],
  ];
}

/** One catalogue of so many streams, from the first to the last. */
function measured(seed: number, streams: number): Measured[] {
  const random = Random.named(seed, "catalogue", streams);
  const figures: Measured[] = [];
  const rate = (kind: string, perSecond: number) => void figures.push([`${kind}_per_second`, perSecond, "1/s"]);
  const [came, updated, clicked, left] = [
    arrivals(streams, random),
    updates(streams, 200_000, random),
    clicks(streams, 200_000, random),
    departures(streams, random),
  ];
  const vectors = new Clustered(seed, streams);
  const before = liveBytes();
  const catalog = new Catalogue();
  rate("on_air", rateOf(catalog, came));
  figures.push(["bytes_per_stream", (liveBytes() - before) / streams, "B"]);
  rate("update", rateOf(catalog, updated));
  rate("click", rateOf(catalog, clicked));
  const towers = new Towers(vectors);
  const probed = new Towers(vectors, { probe: PROBE });
  for (const stream of catalog) for (const each of [towers, probed]) each.entered(stream);
  for (const [metric, us] of retrievals(catalog, towers, probed)) figures.push([metric, us, "us"]);
  figures.push(["towers_recall_at_200", recall(catalog, towers, vectors), "share"]);
  figures.push(["probed_towers_recall_at_200", recall(catalog, probed, vectors), "share"]);
  rate("off_air", rateOf(catalog, left));
  return figures;
}

/**
 * Measures events a second and bytes a stream of the catalogue, and retrieval from it, at several numbers of streams on
 * air, with 256 candidates and vectors of 32, the towers searched whole and with a probe of .05; a minute. Bytes are right
 * only with `--expose-gc`.
 *
 * @param repeats - Catalogues of each size; times and speeds have intervals from 6.
 */
export function measureCatalogue(sizes: readonly number[] = SIZES, repeats: number = REPEATS): Result[] {
  return sizes.flatMap((streams) => {
    const all = Array.from({ length: repeats }, (_, i) => measured(i + 1, streams));
    return repeatedRows(`catalogue/${streams}`, all);
  });
}
