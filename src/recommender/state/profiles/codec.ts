import { Latest } from "../../../collections/index.js";
import { CONTRIBUTIONS, type Contribution } from "../influence.js";
import { ByteReader } from "../packed/bytes.js";
import { DEAD, Names } from "../packed/names.js";
import { type Column, count, RecordReader, RecordWriter, real, shortSum, type Table, time } from "../packed/record.js";
import { LATENESS_MAX, LATENESS_MIN } from "../rhythm.js";
import type { ProfileOptions } from "./options.js";
import {
  emptyPair,
  emptyProfile,
  type Interest,
  type Pair,
  RECENT,
  type Session,
  SHOWN,
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
const OWN = ["firstSeen", "fadedAt", "requests"] as const;
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
const RHYTHM = ["returns", "logGaps", "lateness", "mood", "fresh", "freshAt"] as const;
const INFLUENCE = ["since", "decisions", "returns"] as const;

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
  readonly #writer: RecordWriter;
  readonly reader: RecordReader;
  readonly #bytes = new ByteReader();

  constructor(options: ProfileOptions) {
    this.#options = options;
    const tables = tablesOf(options);
    this.#writer = new RecordWriter(tables);
    this.reader = new RecordReader(tables);
  }

  /** The record of a profile, until the next one. Names that it brings in have no reference yet. */
  pack(profile: UserProfile): Uint8Array {
    const w = this.#writer;
    w.begin(profile.lastSeen);
    this.#packScalars(profile);
    let table = FOLLOWS - 4;
    for (const [interests, names] of [
      [profile.categories, CATEGORIES],
      [profile.tags, TAGS],
    ] as const) {
      for (const [name, interest] of interests) {
        this.#entry(table, names, name);
        w.number(interest.impressions);
        w.number(interest.clicks);
        w.number(interest.watches);
        for (const weight of interest.weight) w.number(weight);
      }
      table++;
    }
    for (const [streamer, pair] of profile.pairs) {
      this.#entry(table, STREAMERS, streamer);
      for (const name of PAIRED) this.#writer.number(pair[name]);
    }
    table++;
    for (const visit of profile.recent) {
      this.#entry(table, STREAMERS, visit.streamer);
      w.name(this.names[CATEGORIES]!.intern(visit.category));
      w.number(visit.time);
      w.number(visit.watchMs);
    }
    for (const streamer of profile.follows?.keys() ?? []) this.#entry(FOLLOWS, STREAMERS, streamer);
    for (const friend of profile.friends?.keys() ?? []) this.#entry(FOLLOWS + 1, USERS, friend);
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
    const { pairs, interests, friends, follows } = this.#options;
    const profile = this.#unpackScalars();
    let table = FOLLOWS - 4;
    profile.categories = this.#latest(counts[table++]!, interests, CATEGORIES, () => this.#interest());
    profile.tags = this.#latest(counts[table++]!, interests, TAGS, () => this.#interest());
    profile.pairs = this.#latest(counts[table++]!, pairs, STREAMERS, () => this.#pair());
    for (let i = counts[table]!; i > 0; i--) {
      const [streamer, category] = [this.#name(STREAMERS), this.#name(CATEGORIES)];
      const visit = { time: r.number(), streamer: streamer!, category: category!, watchMs: r.number() };
      if (streamer !== undefined && category !== undefined) profile.recent.push(visit);
    }
    profile.follows = this.#list(counts[FOLLOWS]!, follows, STREAMERS);
    profile.friends = this.#list(counts[FOLLOWS + 1]!, friends, USERS);
    profile.session.shown = this.#latest(counts[FOLLOWS + 2]!, SHOWN, STREAMERS, () => r.number());
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
    const { names } = this;
    this.reader.walk(this.#bytes.over(record), (table, number) => {
      if (by === 1) names[table]!.refer(number);
      else names[table]!.drop(number);
    });
  }

  #entry(table: number, names: number, name: string): void {
    this.#writer.entry(table);
    this.#writer.name(this.names[names]!.intern(name));
  }

  #packScalars(profile: UserProfile): void {
    const { watching, sums, session, rhythm, influence, traits } = profile;
    const w = this.#writer;
    const speedsOf = (names: readonly (keyof UserSums)[]) => {
      for (const name of names) for (const sum of sums[name]!) w.number(sum);
    };
    if (watching !== null) {
      this.#entry(WATCHING, STREAMERS, watching.streamer);
      w.number(watching.since);
    }
    w.entry(1);
    for (const name of OWN) w.number(profile[name]);
    speedsOf(SUMS);
    for (const name of SESSION) w.number(session[name]);
    for (const name of RHYTHM) w.number(rhythm[name]);
    for (const name of INFLUENCE) w.number(influence[name]);
    if (traits.age !== undefined) {
      w.entry(2);
      w.number(traits.age);
    }
    NAMED.forEach((name, i) => {
      const value = traits[name];
      if (value !== undefined) this.#entry(3 + i, TRAITS + i, value);
    });
    if (sums.pages !== undefined) {
      w.entry(3 + NAMED.length);
      speedsOf(PAGES);
    }
    if (sums.ratings !== undefined) {
      w.entry(4 + NAMED.length);
      speedsOf(RATINGS);
    }
  }

  #unpackScalars(): UserProfile {
    const r = this.reader;
    const next = () => r.number();
    const { counts } = r;
    const profile = emptyProfile(r.base, this.#options);
    const { sums, session, rhythm, influence, traits } = profile;
    const speedsOf = (names: readonly (keyof UserSums)[]) => {
      for (const name of names) sums[name] = [next(), next(), next()];
    };
    if (counts[WATCHING]! > 0) {
      const streamer = this.#name(STREAMERS);
      const since = next();
      if (streamer !== undefined) profile.watching = { streamer, since };
    }
    for (const name of OWN) profile[name] = next();
    speedsOf(SUMS);
    for (const name of SESSION) session[name] = next();
    for (const name of RHYTHM) rhythm[name] = next();
    for (const name of INFLUENCE) influence[name] = next();
    if (counts[2]! > 0) traits.age = next();
    NAMED.forEach((name, i) => {
      const value = counts[3 + i]! > 0 ? this.#name(TRAITS + i) : undefined;
      if (value !== undefined) traits[name] = value;
    });
    if (counts[3 + NAMED.length]! > 0) speedsOf(PAGES);
    if (counts[4 + NAMED.length]! > 0) speedsOf(RATINGS);
    return profile;
  }

  #interest(): Interest {
    const r = this.reader;
    const [impressions, clicks, watches] = [r.number(), r.number(), r.number()];
    return { impressions, clicks, watches, weight: [r.number(), r.number(), r.number()] };
  }

  #pair(): Pair {
    const pair = emptyPair(0);
    for (const name of PAIRED) pair[name] = this.reader.number();
    return pair;
  }

  #name(table: number): string | undefined {
    const number = this.reader.name();
    return number === DEAD ? undefined : this.names[table]!.name(number);
  }

  #latest<V>(entries: number, max: number, table: number, value: () => V): Latest<string, V> {
    const latest = new Latest<string, V>(max);
    for (let i = 0; i < entries; i++) {
      const name = this.#name(table);
      const read = value();
      if (name !== undefined) latest.append(name, read);
    }
    return latest;
  }

  #list(entries: number, max: number, table: number): Latest<string, true> | null {
    const list = this.#latest(entries, max, table, (): true => true);
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
