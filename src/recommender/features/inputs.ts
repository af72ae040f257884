import { mustBe } from "../../check/index.js";
import { CONTENT_SIZE, type Column, type Contents, FeatureSet, MODALITIES } from "../../encoders/index.js";
import { log1p } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";
import type {
  CatalogStream,
  CollaborativeVectors,
  Nearness,
  Neighbours,
  StreamTraits,
  UserProfile,
  Users,
  UserTraits,
} from "../state/index.js";

/** What happens in a stream just now; missing where it is not known. */
export interface Moments {
  readonly joinRate?: number | undefined;
  readonly commentRate?: number | undefined;
  readonly giftRate?: number | undefined;
  readonly likeRate?: number | undefined;
  readonly viewerTrend?: number | undefined;
}

/** What features need to know of a stream on air. */
export interface StreamOnAir extends StreamTraits, Moments, Pick<CatalogStream, "id" | "title"> {
  /** Viewers at the moment, as last told. */
  readonly viewers: number;
  /** When it went on air. */
  readonly startedAt: number;
}

/** What is the same for all streams of one request. */
export interface Moment {
  now: number;
  /** Number of streams on air. */
  onAir: number;
  /** Largest number of viewers among the candidates. */
  viewersMax: number;
}

/** Where inputs come from. */
export interface Sources {
  readonly profiles: Users;
  readonly vectors: CollaborativeVectors;
  readonly contents: Contents;
  readonly neighbours: Neighbours;
}

/** A group of features: some floats of the state, and some of each candidate. */
export interface Input {
  readonly observation: number;
  readonly candidate: number;
  /** The next rows are for this user at this moment. */
  begin(user: Id, profile: UserProfile, moment: Moment): void;
  /** Writes `observation` floats from `offset`. */
  writeObservation(row: Float32Array, offset: number): void;
  /** Writes `candidate` floats from `offset`, without allocating. */
  write(row: Float32Array, offset: number, stream: StreamOnAir): void;
}

export const INPUTS = ["traits", "pages", "social", "taste", "vectors", "moments", "content", "neighbours"] as const;
export type InputName = (typeof INPUTS)[number];

export function makeInput(name: InputName, sources: Sources): Input {
  const { profiles, vectors, contents, neighbours } = sources;
  switch (name) {
    case "traits":
      return new TraitInput();
    case "pages":
      return new PageInput();
    case "social":
      return new SocialInput(profiles);
    case "taste":
      return new TasteInput(vectors);
    case "vectors":
      return new VectorInput(vectors);
    case "moments":
      return new MomentInput();
    case "content":
      return new ContentInput(contents);
    case "neighbours":
      return new NeighbourInput(neighbours);
  }
}

/** The next multiple of 4: rows are read four floats at a time. */
function padded(width: number): number {
  return (width + 3) & ~3;
}

/** log(1 + x) / scale, at most 3. */
export function logScaled(x: number, scale: number): number {
  return Math.min(log1p(x) / scale, 3);
}

/** x / (x + half): 0 at 0, 1/2 at `half`, below 1. Costs a division where a logarithm costs ten. */
export function saturated(x: number, half: number): number {
  return x / (x + half);
}

/** x / (1 + |x|), in (-1, 1). */
function squashed(x: number): number {
  return x / (1 + Math.abs(x));
}

const [TODAY, TASTE] = [1, 2] as const;
/** Counts, and squared lengths, below this have faded: nothing is known any more. [set by hand] */
const FADED = 1e-6;
const NOBODY: ReadonlyMap<Id, true> = new Map();

/** The names under which collaborative vectors know what users tell: kinds of people, not people. */
export function traitNames({ gender, region, language, device }: UserTraits): string[] {
  const told = { gender, region, language, device };
  return Object.entries(told).flatMap(([trait, value]) => (value === undefined ? [] : [`${trait}:${value}`]));
}

/** Names of any number in few places; of an attribute that was not told, none. */
const TRAITS: readonly Column[] = [
  { name: "age", encode: { kind: "age" } },
  { name: "gender", encode: { kind: "hashed", size: 4 } },
  { name: "region", encode: { kind: "hashed", size: 8 } },
  { name: "language", encode: { kind: "hashed", size: 8 } },
  { name: "device", encode: { kind: "hashed", size: 4 } },
];

/** What a user has told. */
class TraitInput implements Input {
  readonly #columns = new FeatureSet(TRAITS);
  readonly observation = padded(this.#columns.width);
  readonly candidate = 0;
  #traits: UserTraits = {};

  begin(_user: Id, { traits }: UserProfile): void {
    this.#traits = traits;
  }

  writeObservation(row: Float32Array, offset: number): void {
    this.#columns.write(this.#traits, row, offset);
    row.fill(0, offset + this.#columns.width, offset + this.observation);
  }

  write(): void {}
}

/** Pages looked at, and ratings. */
class PageInput implements Input {
  readonly observation = 8;
  readonly candidate = 4;
  #profile!: UserProfile;

  begin(_user: Id, profile: UserProfile): void {
    this.#profile = profile;
  }

  writeObservation(row: Float32Array, offset: number): void {
    const { sums, session } = this.#profile;
    const pages = sums.pages?.[TASTE] ?? 0;
    const ratings = sums.ratings?.[TASTE] ?? 0;
    row.fill(0, offset, offset + this.observation);
    // What faded to next to nothing is as good as unknown: its shares would be rounding.
    if (pages > FADED) {
      row[offset] = 1;
      row[offset + 1] = logScaled(sums.pages![TODAY]!, 3);
      row[offset + 2] = logScaled(session.pages, 2);
      row[offset + 3] = Math.min(sums.pageBounces![TASTE]! / pages, 1);
      row[offset + 4] = Math.min(sums.dwell![TASTE]! / pages / 5, 3);
    }
    if (ratings > FADED) {
      row[offset + 5] = 1;
      row[offset + 6] = logScaled(ratings, 3);
      row[offset + 7] = Math.min(Math.max(sums.ratingSum![TASTE]! / ratings, -1), 1);
    }
  }

  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    const pair = this.#profile.pairs.get(stream.streamer);
    row.fill(0, offset, offset + this.candidate);
    if (pair === undefined || pair.ratings === 0) return;
    row[offset] = 1;
    row[offset + 1] = pair.ratingSum / pair.ratings;
    row[offset + 2] = saturated(pair.ratings, 2);
  }
}

/** Friends whose likeness is looked at, the latest: the rest would cost more than they tell. [set by hand] */
const FRIENDS = 32;

/** The share of what two sets have together in what they have in all (Jaccard); 0 of two empty ones. */
export function jaccard(a: ReadonlyMap<Id, unknown>, b: ReadonlyMap<Id, unknown>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let both = 0;
  for (const key of small.keys()) if (large.has(key)) both++;
  return both === 0 ? 0 : both / (a.size + b.size - both);
}

/** Friends, whom they watch and follow, and whom the user follows. */
class SocialInput implements Input {
  readonly observation = 4;
  readonly candidate = 4;
  readonly #profiles: Users;
  #friends: ReadonlyMap<Id, unknown> = NOBODY;
  #follows: ReadonlyMap<Id, unknown> = NOBODY;
  #likeness = 0;
  /** Friends in a stream of each streamer; those who follow the streamer, each by how alike their follows are. */
  readonly #watching = new Map<Id, number>();
  readonly #following = new Map<Id, number>();

  constructor(profiles: Users) {
    this.#profiles = profiles;
  }

  begin(_user: Id, profile: UserProfile, { now }: Moment): void {
    const { friends, follows } = profile;
    this.#follows = follows ?? NOBODY;
    this.#friends = friends ?? NOBODY;
    this.#watching.clear();
    this.#following.clear();
    this.#likeness = 0;
    let older = this.#friends.size - FRIENDS;
    for (const friend of this.#friends.keys()) {
      const streamer = this.#profiles.watching(friend, now);
      if (streamer !== undefined) this.#watching.set(streamer, (this.#watching.get(streamer) ?? 0) + 1);
      const theirs = this.#profiles.get(friend)?.follows;
      if (older-- > 0 || !theirs) continue;
      const likeness = jaccard(this.#follows, theirs);
      this.#likeness += likeness / Math.min(this.#friends.size, FRIENDS);
      // A friend is worth something even without a common follow.
      for (const one of theirs.keys()) this.#following.set(one, (this.#following.get(one) ?? 0) + 0.5 + likeness);
    }
  }

  writeObservation(row: Float32Array, offset: number): void {
    row[offset] = this.#friends.size > 0 ? 1 : 0;
    row[offset + 1] = logScaled(this.#friends.size, 3);
    row[offset + 2] = logScaled(this.#follows.size, 3);
    row[offset + 3] = this.#likeness;
  }

  write(row: Float32Array, offset: number, { streamer }: StreamOnAir): void {
    const watching = this.#watching.get(streamer) ?? 0;
    const following = this.#following.get(streamer) ?? 0;
    row[offset] = this.#follows.has(streamer) ? 1 : 0;
    row[offset + 1] = watching > 0 ? 1 : 0;
    row[offset + 2] = saturated(watching, 2);
    row[offset + 3] = saturated(following, 1);
  }
}

/** How well collaborative vectors fit: the user's, and everybody's. */
class TasteInput implements Input {
  readonly observation = 0;
  readonly candidate = 4;
  readonly #vectors: CollaborativeVectors;
  readonly #user: Float32Array;
  readonly #everybody: Float32Array;
  readonly #streamer: Float32Array;
  #known = 0;

  constructor(vectors: CollaborativeVectors) {
    this.#vectors = vectors;
    this.#user = new Float32Array(vectors.size);
    this.#everybody = new Float32Array(vectors.size);
    this.#streamer = new Float32Array(vectors.size);
  }

  begin(user: Id, { traits }: UserProfile): void {
    const names = traitNames(traits);
    this.#known = this.#vectors.readUser(user, this.#user, 0, names) ? 1 : 0;
    // No user's id is empty.
    this.#vectors.readUser("", this.#everybody, 0);
  }

  writeObservation(): void {}

  write(row: Float32Array, offset: number, { streamer, category, tags }: StreamOnAir): void {
    const [user, everybody, theirs] = [this.#user, this.#everybody, this.#streamer];
    const known = this.#vectors.readStreamer(streamer, category, theirs, 0, tags);
    let own = 0;
    let common = 0;
    for (let f = 0; f < theirs.length; f++) {
      own += user[f]! * theirs[f]!;
      common += everybody[f]! * theirs[f]!;
    }
    row[offset] = squashed(own);
    row[offset + 1] = squashed(common);
    row[offset + 2] = this.#known;
    row[offset + 3] = known ? 1 : 0;
  }
}

/** The collaborative vectors themselves, each number squashed into (-1, 1). */
class VectorInput implements Input {
  readonly observation: number;
  readonly candidate: number;
  readonly #vectors: CollaborativeVectors;
  readonly #user: Float32Array;

  constructor(vectors: CollaborativeVectors) {
    this.#vectors = vectors;
    this.#user = new Float32Array(vectors.size);
    this.observation = this.candidate = padded(vectors.size);
  }

  begin(user: Id, { traits }: UserProfile): void {
    this.#vectors.readUser(user, this.#user, 0, traitNames(traits));
  }

  writeObservation(row: Float32Array, offset: number): void {
    row.fill(0, offset, offset + this.observation);
    for (let f = 0; f < this.#user.length; f++) row[offset + f] = squashed(this.#user[f]!);
  }

  write(row: Float32Array, offset: number, { streamer, category, tags }: StreamOnAir): void {
    row.fill(0, offset, offset + this.candidate);
    this.#vectors.readStreamer(streamer, category, row, offset, tags);
    for (let f = 0; f < this.#user.length; f++) row[offset + f] = squashed(row[offset + f]!);
  }
}

/** What happens in a stream just now: for each number whether it is known, then the number. */
class MomentInput implements Input {
  readonly observation = 0;
  readonly candidate = 12;

  begin(): void {}
  writeObservation(): void {}

  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    row.fill(0, offset, offset + this.candidate);
    writeRate(row, offset, stream.joinRate);
    writeRate(row, offset + 2, stream.commentRate);
    writeRate(row, offset + 4, stream.giftRate);
    writeRate(row, offset + 6, stream.likeRate);
    if (stream.viewerTrend === undefined) return;
    row[offset + 8] = 1;
    row[offset + 9] = squashed(stream.viewerTrend);
  }
}

function writeRate(row: Float32Array, offset: number, rate: number | undefined): void {
  if (rate === undefined) return;
  row[offset] = 1;
  row[offset + 1] = logScaled(Math.max(rate, 0), 3);
}

/** How alike a stream is to what the user watched, by modality; language and maturity. Flags say what is known. */
class ContentInput implements Input {
  readonly observation = 0;
  readonly candidate = 2 * MODALITIES.length + 4;
  readonly #contents: Contents;
  readonly #taste = MODALITIES.map(() => new Float32Array(CONTENT_SIZE));
  readonly #has = MODALITIES.map(() => false);
  #language: string | undefined;

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  begin(_user: Id, { content, traits }: UserProfile): void {
    this.#language = traits.language;
    for (let m = 0; m < MODALITIES.length; m++) {
      const sum = content?.[m] ?? [];
      let squares = 0;
      for (const x of sum) squares += x * x;
      this.#has[m] = squares > FADED;
      for (let i = 0; this.#has[m] && i < CONTENT_SIZE; i++) this.#taste[m]![i] = sum[i]! / Math.sqrt(squares);
    }
  }

  writeObservation(): void {}

  write(row: Float32Array, offset: number, { id }: StreamOnAir): void {
    const content = this.#contents.get(id);
    row.fill(0, offset, offset + this.candidate);
    if (content === undefined) return;
    let at = offset;
    for (let m = 0; m < MODALITIES.length; m++, at += 2) {
      const own = content.rows[m]!;
      if (own === null || !this.#has[m]) continue;
      const taste = this.#taste[m]!;
      let dot = 0;
      for (let i = 0; i < CONTENT_SIZE; i++) dot += taste[i]! * own[i]!;
      row[at] = 1;
      row[at + 1] = Math.min(Math.max(dot, -1), 1);
    }
    if (content.language !== undefined && this.#language !== undefined) {
      row[at] = 1;
      row[at + 1] = content.language === this.#language ? 1 : -1;
    }
    if (content.mature !== undefined) {
      row[at + 2] = 1;
      row[at + 3] = content.mature ? 1 : -1;
    }
  }
}

/** How near a streamer is to the others whom the user liked, by who liked them: whether that is known, then how much. */
class NeighbourInput implements Input {
  readonly observation = 0;
  readonly candidate = 4;
  readonly #neighbours: Neighbours;
  readonly #nearness: Nearness = { all: 0, others: 0, weight: 0, nearest: 0 };

  constructor(neighbours: Neighbours) {
    this.#neighbours = neighbours;
  }

  begin(user: Id, _profile: UserProfile, { now }: Moment): void {
    this.#neighbours.begin(user, now);
  }

  writeObservation(): void {}

  write(row: Float32Array, offset: number, { streamer }: StreamOnAir): void {
    const nearness = this.#nearness;
    row.fill(0, offset, offset + this.candidate);
    // Of a user who liked nobody else, or a streamer whom nobody liked, nothing is known.
    if (!this.#neighbours.read(streamer, nearness) || nearness.weight === 0) return;
    row[offset] = 1;
    row[offset + 1] = saturated(nearness.others, 1);
    row[offset + 2] = nearness.nearest;
    row[offset + 3] = nearness.others / nearness.weight;
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What declared columns of a stream can read. */
interface StreamRecord extends Writable<Moments> {
  id: Id;
  streamer: Id;
  category: string;
  tags: readonly string[];
  title: string;
  viewers: number;
  ageMs: number;
  language: string | undefined;
  mature: boolean | undefined;
}

/** Of each kind that they have: a column that cannot encode its value is refused before anybody is served. */
const SAMPLES = {
  user: { age: 30, gender: "f", region: "eu", language: "en", device: "tv" } satisfies Required<UserTraits>,
  stream: {
    id: "s",
    streamer: "ann",
    category: "chess",
    tags: ["blitz"],
    title: "Blitz",
    viewers: 1,
    ageMs: 1,
    language: "en",
    mature: false,
    joinRate: 1,
    commentRate: 1,
    giftRate: 1,
    likeRate: 1,
    viewerTrend: -1,
  } satisfies Required<StreamRecord>,
} as const;

/** Declared columns: of the user for the state, or of a stream for candidates. */
export class ColumnInput implements Input {
  readonly observation: number;
  readonly candidate: number;
  readonly #columns: FeatureSet;
  readonly #contents: Contents | undefined;
  #traits: UserTraits = {};
  #now = 0;
  readonly #record: StreamRecord = {
    id: "",
    streamer: "",
    category: "",
    tags: [],
    title: "",
    viewers: 0,
    ageMs: 0,
    language: undefined,
    mature: undefined,
  };

  /** @throws TypeError or RangeError for columns that are none, have to be fitted first, or write indices. */
  constructor(columns: readonly Column[], of: "user" | "stream", sources?: Sources) {
    const path = `features.${of}`;
    // A value that a platform leaves out must not stop it from serving.
    const required = columns.findIndex((column) => column?.optional === false);
    if (required >= 0) throw mustBe(`${path}.${required}.optional`, "true", false);
    this.#columns = new FeatureSet(columns, path);
    this.#contents = sources?.contents;
    if (this.#columns.unfitted.length > 0)
      throw mustBe(path, "fitted: what FeatureSet.save gives", this.#columns.unfitted);
    if (this.#columns.sparse !== undefined) throw mustBe(path, "of columns that write numbers", "indices");
    this.#columns.write(SAMPLES[of], new Float32Array(this.#columns.width), 0);
    const width = padded(this.#columns.width);
    this.observation = of === "user" ? width : 0;
    this.candidate = of === "stream" ? width : 0;
  }

  begin(_user: Id, { traits }: UserProfile, { now }: Moment): void {
    this.#traits = traits;
    this.#now = now;
  }

  writeObservation(row: Float32Array, offset: number): void {
    row.fill(0, offset + this.#columns.width, offset + this.observation);
    this.#columns.write(this.#traits, row, offset);
  }

  write(row: Float32Array, offset: number, stream: StreamOnAir): void {
    row.fill(0, offset + this.#columns.width, offset + this.candidate);
    this.#columns.write(this.#of(stream), row, offset);
  }

  /** Running columns go on: with the user of the slate, or with its streams. */
  shown(slate: readonly StreamOnAir[]): void {
    if (this.observation > 0) this.#columns.learn(this.#traits);
    if (this.candidate > 0) for (const stream of slate) this.#columns.learn(this.#of(stream));
  }

  save(): Column[] {
    return this.#columns.save();
  }

  load(saved: readonly Column[]): void {
    this.#columns.load(saved);
  }

  /** One record for all: rows are written without allocating. */
  #of(stream: StreamOnAir): StreamRecord {
    const content = this.#contents?.get(stream.id);
    const record = this.#record;
    record.id = stream.id;
    record.streamer = stream.streamer;
    record.category = stream.category;
    record.tags = stream.tags;
    record.title = stream.title;
    record.viewers = stream.viewers;
    record.ageMs = Math.max(this.#now - stream.startedAt, 0);
    record.language = content?.language;
    record.mature = content?.mature;
    record.joinRate = stream.joinRate;
    record.commentRate = stream.commentRate;
    record.giftRate = stream.giftRate;
    record.likeRate = stream.likeRate;
    record.viewerTrend = stream.viewerTrend;
    return record;
  }
}
