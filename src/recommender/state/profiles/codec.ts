import { Latest } from "../../../collections/index.js";
import { CONTRIBUTIONS, type Contribution } from "../influence.js";
import { ByteReader } from "../packed/bytes.js";
import { DEAD, Names } from "../packed/names.js";
import {
  type Column,
  count,
  type RecordContents,
  RecordReader,
  RecordWriter,
  real,
  referTo,
  shortSum,
  type Table,
  time,
} from "../packed/record.js";
import { LATENESS_MAX, LATENESS_MIN } from "../rhythm.js";
import type { ProfileOptions } from "./options.js";
import {
  emptyPair,
  type Interest,
  type Pair,
  RECENT,
  type Session,
  SHOWN,
  SPEEDS,
  type UserProfile,
  type UserSums,
} from "./profile.js";

/** Tables of names. */
const [STREAMERS, CATEGORIES, TAGS, USERS, TRAITS] = [0, 1, 2, 3, 4] as const;
/** Traits that are names, each in a table of its own. */
const NAMED = ["gender", "region", "language", "device"] as const;
const NAME_TABLES = TRAITS + NAMED.length;
const NAMES_OF = ["streamers", "categories", "tags", "users", ...NAMED];

const SUMS = ["impressions", "clicks", "watches", "engaged", "bounces", "repeats", "minutes", "weight"] as const;
const PAGES = ["pages", "pageBounces", "dwell"] as const;
const RATINGS = ["ratings", "ratingSum"] as const;
const SESSION: readonly Exclude<keyof Session, "shown">[] = [
  "start",
  "gapMs",
  "requests",
  "clicks",
  "engaged",
  "bounces",
  "minutes",
  "ignored",
  "lastWatchMs",
  "pages",
];

function speeds(names: readonly string[], column: (name: string) => Column): Column[] {
  return names.flatMap((name) => [0, 1, 2].map((speed) => column(`${name}.${speed}`)));
}

const signed = (name: string) => real(name, 1e12, -1e12);

const SCALARS: readonly Column[] = [
  time("firstSeen"),
  time("fadedAt"),
  count("requests"),
  ...speeds(SUMS, (name) => real(name)),
  ...SESSION.map((name) => (name === "start" ? time : name === "minutes" ? real : count)(`session.${name}`)),
  real("rhythm.returns"),
  signed("rhythm.logGaps"),
  real("rhythm.lateness", LATENESS_MAX, LATENESS_MIN),
  real("rhythm.mood", 1, -1),
  real("rhythm.fresh"),
  time("rhythm.freshAt"),
  time("influence.since"),
  count("influence.decisions"),
  count("influence.returns"),
];

const INTEREST: readonly Column[] = [
  ...["impressions", "clicks", "watches", "weight.0", "weight.1", "weight.2"].map(shortSum),
];

const PAIRED = Object.keys(emptyPair(0)) as (keyof Pair)[];
/** Columns of other kinds than counts. */
const SPECIAL: { [name in keyof Pair]?: (name: string) => Column } = {
  minutes: (name) => real(name),
  weight: shortSum,
  lastVisit: time,
  ratingSum: signed,
};
const PAIR: readonly Column[] = PAIRED.map((name) => (SPECIAL[name] ?? count)(name));

/** Places of the tables that are read alone. */
const [WATCHING, FOLLOWS] = [0, 6 + NAMED.length + 3] as const;

function tablesOf({ pairs, interests, friends, follows }: ProfileOptions): Table[] {
  const one = (name: string, columns: readonly Column[]): Table => ({ name, names: [], columns, max: 1 });
  const named = (name: string, names: number[], max: number, columns: readonly Column[] = []): Table => ({
    name,
    names,
    columns,
    max,
  });
  return [
    named("watching", [STREAMERS], 1, [time("since")]),
    one("profile", SCALARS),
    one("age", [real("age", 150)]),
    ...NAMED.map((name, i) => named(name, [TRAITS + i], 1)),
    one(
      "pages",
      speeds(PAGES, (name) => real(name)),
    ),
    one("ratings", speeds(RATINGS, signed)),
    named("categories", [CATEGORIES], interests, INTEREST),
    named("tags", [TAGS], interests, INTEREST),
    named("pairs", [STREAMERS], pairs, PAIR),
    named("recent", [STREAMERS, CATEGORIES], RECENT, [time("time"), count("watchMs")]),
    named("follows", [STREAMERS], follows),
    named("friends", [USERS], friends),
    named("shown", [STREAMERS], SHOWN, [count("times")]),
    named("influence", [STREAMERS], CONTRIBUTIONS, [count("seen"), count("watches")]),
  ];
}

/** Profiles as bytes, and back: to the bit, whenever it is done. Names stand as numbers of shared tables. */
export class ProfileCodec {
  readonly names: readonly Names[] = NAMES_OF.map(() => new Names());
  readonly #options: ProfileOptions;
  readonly #tables: readonly Table[];
  readonly #writer: RecordWriter;
  readonly reader: RecordReader;
  readonly #bytes = new ByteReader();

  constructor(options: ProfileOptions) {
    this.#options = options;
    const tables = tablesOf(options);
    this.#tables = tables;
    this.#writer = new RecordWriter(tables);
    this.reader = new RecordReader(tables);
  }

  /** The record of a profile, until the next one. Names that it brings in have no reference yet. */
  pack(profile: UserProfile): Uint8Array {
    const w = this.#writer;
    w.begin(profile.lastSeen);
    this.#packScalars(profile);
    this.#packInterests(FOLLOWS - 4, CATEGORIES, profile.categories);
    this.#packInterests(FOLLOWS - 3, TAGS, profile.tags);
    for (const [streamer, pair] of profile.pairs) {
      this.#entry(FOLLOWS - 2, STREAMERS, streamer);
      this.#packPair(pair);
    }
    for (const visit of profile.recent) {
      this.#entry(FOLLOWS - 1, STREAMERS, visit.streamer);
      w.name(this.names[CATEGORIES]!.intern(visit.category));
      w.number(visit.time);
      w.number(visit.watchMs);
    }
    if (profile.follows) for (const streamer of profile.follows.keys()) this.#entry(FOLLOWS, STREAMERS, streamer);
    if (profile.friends) for (const friend of profile.friends.keys()) this.#entry(FOLLOWS + 1, USERS, friend);
    for (const [streamer, times] of profile.session.shown) {
      this.#entry(FOLLOWS + 2, STREAMERS, streamer);
      w.number(times);
    }
    for (const [streamer, one] of profile.influence.streamers) {
      this.#entry(FOLLOWS + 3, STREAMERS, streamer);
      w.number(seenOf(one));
      w.number(one.watches);
    }
    return w.end();
  }

  /** The record that the reader has opened, as `pack` writes it, until the next one. */
  again(): Uint8Array {
    return this.#writer.again(this.reader);
  }

  /** The profile of a record. Entries with dead names are left out. */
  unpack(record: Uint8Array): UserProfile {
    const r = this.reader;
    r.open(this.#bytes.over(record));
    const { counts } = r;
    const { friends, follows } = this.#options;
    const profile = this.#unpackScalars();
    this.#unpackInterests(counts[FOLLOWS - 4]!, CATEGORIES, profile.categories);
    this.#unpackInterests(counts[FOLLOWS - 3]!, TAGS, profile.tags);
    for (let i = counts[FOLLOWS - 2]!; i > 0; i--) {
      const streamer = this.#name(STREAMERS);
      const pair = this.#pair();
      if (streamer !== undefined) profile.pairs.append(streamer, pair);
    }
    for (let i = counts[FOLLOWS - 1]!; i > 0; i--) {
      const streamer = this.#name(STREAMERS);
      const category = this.#name(CATEGORIES);
      const at = r.number();
      const watchMs = r.number();
      if (streamer !== undefined && category !== undefined)
        profile.recent.push({ time: at, streamer, category, watchMs });
    }
    profile.follows = this.#list(counts[FOLLOWS]!, follows, STREAMERS);
    profile.friends = this.#list(counts[FOLLOWS + 1]!, friends, USERS);
    for (let i = counts[FOLLOWS + 2]!; i > 0; i--) {
      const streamer = this.#name(STREAMERS);
      const times = r.number();
      if (streamer !== undefined) profile.session.shown.append(streamer, times);
    }
    for (let i = counts[FOLLOWS + 3]!; i > 0; i--) {
      const streamer = this.#name(STREAMERS);
      const contribution = contributionOf(r.number(), r.number());
      if (streamer !== undefined) profile.influence.streamers.set(streamer, contribution);
    }
    return profile;
  }

  /** The stream that the user of a record watches; null outside all. */
  watching(record: Uint8Array): UserProfile["watching"] {
    const first = this.reader.first(this.#bytes.over(record));
    const streamer = first && this.names[STREAMERS]!.name(first.name);
    return streamer === undefined ? null : { streamer, since: first!.value };
  }

  /** The streamers whom the user of a record follows. */
  follows(record: Uint8Array): string[] {
    const followed: string[] = [];
    this.reader.walk(this.#bytes.over(record), (names, number, table) => {
      const streamer = table === FOLLOWS ? this.names[names]!.name(number) : undefined;
      if (streamer !== undefined) followed.push(streamer);
    });
    return followed;
  }

  /** A record that refers to its names (1), or no longer does (-1). */
  refer(record: Uint8Array, by: 1 | -1): void {
    this.reader.openNames(this.#bytes.over(record));
    this.#referTo(this.reader.contents, by);
  }

  /** The same of the record that was packed last: nothing is read. */
  referPacked(by: 1 | -1): void {
    this.#referTo(this.#writer.contents, by);
  }

  #referTo(contents: RecordContents, by: 1 | -1): void {
    referTo(this.#tables, contents, this.names, by);
  }

  #entry(table: number, names: number, name: string): void {
    this.#writer.entry(table);
    this.#writer.name(this.names[names]!.intern(name));
  }

  #packInterests(table: number, names: number, interests: ReadonlyMap<string, Interest>): void {
    const w = this.#writer;
    for (const [name, { impressions, clicks, watches, weight }] of interests) {
      this.#entry(table, names, name);
      w.number(impressions);
      w.number(clicks);
      w.number(watches);
      for (let speed = 0; speed < SPEEDS; speed++) w.number(weight[speed]!);
    }
  }

  /** In the order of `PAIRED`, without keys that are looked up: a user has many pairs. */
  #packPair(pair: Pair): void {
    const w = this.#writer;
    w.number(pair.visits);
    w.number(pair.watches);
    w.number(pair.engaged);
    w.number(pair.minutes);
    w.number(pair.weight);
    w.number(pair.lastVisit);
    w.number(pair.lastWatchMs);
    w.number(pair.approvals);
    w.number(pair.dislikes);
    w.number(pair.ratings);
    w.number(pair.ratingSum);
  }

  #packScalars(profile: UserProfile): void {
    const { watching, sums, session, rhythm, influence, traits } = profile;
    const w = this.#writer;
    if (watching !== null) {
      this.#entry(WATCHING, STREAMERS, watching.streamer);
      w.number(watching.since);
    }
    // In the order of `SCALARS`, field by field: keys that are looked up take a third of the time.
    w.entry(1);
    w.number(profile.firstSeen);
    w.number(profile.fadedAt);
    w.number(profile.requests);
    this.#packSums(sums, SUMS);
    w.number(session.start);
    w.number(session.gapMs);
    w.number(session.requests);
    w.number(session.clicks);
    w.number(session.engaged);
    w.number(session.bounces);
    w.number(session.minutes);
    w.number(session.ignored);
    w.number(session.lastWatchMs);
    w.number(session.pages);
    w.number(rhythm.returns);
    w.number(rhythm.logGaps);
    w.number(rhythm.lateness);
    w.number(rhythm.mood);
    w.number(rhythm.fresh);
    w.number(rhythm.freshAt);
    w.number(influence.since);
    w.number(influence.decisions);
    w.number(influence.returns);
    if (traits.age !== undefined) {
      w.entry(2);
      w.number(traits.age);
    }
    for (let i = 0; i < NAMED.length; i++) {
      const value = traits[NAMED[i]!];
      if (value !== undefined) this.#entry(3 + i, TRAITS + i, value);
    }
    if (sums.pages !== undefined) {
      w.entry(3 + NAMED.length);
      this.#packSums(sums, PAGES);
    }
    if (sums.ratings !== undefined) {
      w.entry(4 + NAMED.length);
      this.#packSums(sums, RATINGS);
    }
  }

  #packSums(sums: UserSums, names: readonly (keyof UserSums)[]): void {
    for (const name of names) {
      const sum = sums[name]!;
      for (let speed = 0; speed < SPEEDS; speed++) this.#writer.number(sum[speed]!);
    }
  }

  #unpackScalars(): UserProfile {
    const r = this.reader;
    const { counts } = r;
    const watched = counts[WATCHING]! > 0 ? this.#name(STREAMERS) : undefined;
    const since = counts[WATCHING]! > 0 ? r.number() : 0;
    const profile = this.#profile(watched === undefined ? null : { streamer: watched, since });
    const { sums, traits } = profile;
    if (counts[2]! > 0) traits.age = r.number();
    for (let i = 0; i < NAMED.length; i++) {
      const value = counts[3 + i]! > 0 ? this.#name(TRAITS + i) : undefined;
      if (value !== undefined) traits[NAMED[i]!] = value;
    }
    if (counts[3 + NAMED.length]! > 0) this.#unpackSums(sums, PAGES);
    if (counts[4 + NAMED.length]! > 0) this.#unpackSums(sums, RATINGS);
    return profile;
  }

  /** A profile with the numbers of `SCALARS`, in their order, and empty tables. */
  #profile(watching: UserProfile["watching"]): UserProfile {
    const r = this.reader;
    const { pairs, interests } = this.#options;
    const firstSeen = r.number();
    const fadedAt = r.number();
    const requests = r.number();
    const sums: UserSums = {
      impressions: this.#sum(),
      clicks: this.#sum(),
      watches: this.#sum(),
      engaged: this.#sum(),
      bounces: this.#sum(),
      repeats: this.#sum(),
      minutes: this.#sum(),
      weight: this.#sum(),
    };
    const session: Session = {
      start: r.number(),
      gapMs: r.number(),
      requests: r.number(),
      clicks: r.number(),
      engaged: r.number(),
      bounces: r.number(),
      minutes: r.number(),
      ignored: r.number(),
      lastWatchMs: r.number(),
      pages: r.number(),
      shown: new Latest(SHOWN),
    };
    return {
      firstSeen,
      lastSeen: r.base,
      requests,
      sums,
      categories: new Latest(interests),
      tags: new Latest(interests),
      pairs: new Latest(pairs),
      recent: [],
      traits: {},
      friends: null,
      follows: null,
      watching,
      session,
      rhythm: {
        returns: r.number(),
        logGaps: r.number(),
        lateness: r.number(),
        mood: r.number(),
        fresh: r.number(),
        freshAt: r.number(),
      },
      influence: { since: r.number(), decisions: r.number(), returns: r.number(), streamers: new Map() },
      fadedAt,
    };
  }

  #sum(): number[] {
    const r = this.reader;
    return [r.number(), r.number(), r.number()];
  }

  #unpackSums(sums: UserSums, names: readonly (keyof UserSums)[]): void {
    for (const name of names) sums[name] = this.#sum();
  }

  #unpackInterests(entries: number, table: number, interests: Latest<string, Interest>): void {
    const r = this.reader;
    for (let i = 0; i < entries; i++) {
      const name = this.#name(table);
      const impressions = r.number();
      const clicks = r.number();
      const watches = r.number();
      const weight = this.#sum();
      if (name !== undefined) interests.append(name, { impressions, clicks, watches, weight });
    }
  }

  /** Evaluates in the order of `PAIRED`. */
  #pair(): Pair {
    const r = this.reader;
    return {
      visits: r.number(),
      watches: r.number(),
      engaged: r.number(),
      minutes: r.number(),
      weight: r.number(),
      lastVisit: r.number(),
      lastWatchMs: r.number(),
      approvals: r.number(),
      dislikes: r.number(),
      ratings: r.number(),
      ratingSum: r.number(),
    };
  }

  #name(table: number): string | undefined {
    const number = this.reader.name();
    return number === DEAD ? undefined : this.names[table]!.name(number);
  }

  #list(entries: number, max: number, table: number): Latest<string, true> | null {
    if (entries === 0) return null;
    const list = new Latest<string, true>(max);
    for (let i = 0; i < entries; i++) {
      const name = this.#name(table);
      if (name !== undefined) list.append(name, true);
    }
    return list.size > 0 ? list : null;
  }
}

export { NAME_TABLES, NAMED, NAMES_OF, STREAMERS, TRAITS, USERS };

/** Flags and impressions of a contribution as one number. */
function seenOf({ impressions, clicked, approved, followed, returned }: Contribution): number {
  return 16 * impressions + (clicked ? 1 : 0) + (approved ? 2 : 0) + (followed ? 4 : 0) + (returned ? 8 : 0);
}

function contributionOf(seen: number, watches: number): Contribution {
  const flags = seen % 16;
  return {
    impressions: Math.floor(seen / 16),
    clicked: (flags & 1) > 0,
    watches,
    approved: (flags & 2) > 0,
    followed: (flags & 4) > 0,
    returned: (flags & 8) > 0,
  };
}
