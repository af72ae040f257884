import {
  any,
  between,
  boolean,
  distinct,
  entries,
  fields,
  finite,
  integer,
  list,
  nonNegative,
  numbers,
  or,
  requireShape,
  type Shape,
  text,
  tuple,
  where,
  word,
} from "../../../check/index.js";
import type { Contribution, SavedInfluence } from "../influence.js";
import type { SavedNeighbours } from "../neighbours.js";
import type { Rhythm, SavedReturns } from "../rhythm.js";
import type { SavedStreamers, StreamerHistory, StreamerSums } from "../streamers.js";
import {
  type ExportedProfile,
  type Interest,
  type Pair,
  type SavedUsers,
  SPEEDS,
  type UserSums,
  type UserTraits,
  type Visit,
} from "../users.js";
import type { SavedVectors, VectorOptions } from "../vectors.js";

/** A sum that a file may hold: far beyond any, so that products and quotients of two stay finite. */
const SUM_MAX = 1e12;
const sum = between(0, SUM_MAX);
const signed = between(-SUM_MAX, SUM_MAX);
const speeds = numbers(SPEEDS, sum);
const few = or(undefined, speeds);
const name = or(undefined, text);
const names = distinct(list(text));

const interest = entries(fields<Interest>({ impressions: sum, clicks: sum, watches: sum, weight: speeds }));

const pair = fields<Pair>({
  visits: sum,
  watches: sum,
  engaged: sum,
  minutes: sum,
  weight: sum,
  lastVisit: finite,
  lastWatchMs: nonNegative,
  approvals: sum,
  dislikes: sum,
  ratings: sum,
  ratingSum: signed,
});

const session = fields<ExportedProfile["session"]>({
  start: finite,
  gapMs: nonNegative,
  requests: sum,
  clicks: sum,
  engaged: sum,
  bounces: sum,
  minutes: sum,
  ignored: sum,
  lastWatchMs: nonNegative,
  pages: sum,
  shown: entries(sum),
});

const contribution = fields<Contribution>({
  impressions: sum,
  clicked: boolean,
  watches: sum,
  approved: boolean,
  followed: boolean,
  returned: boolean,
});

const profile = fields<ExportedProfile>({
  firstSeen: finite,
  lastSeen: finite,
  requests: sum,
  sums: fields<UserSums>({
    impressions: speeds,
    clicks: speeds,
    watches: speeds,
    engaged: speeds,
    bounces: speeds,
    repeats: speeds,
    minutes: speeds,
    weight: speeds,
    pages: few,
    pageBounces: few,
    dwell: few,
    ratings: few,
    ratingSum: or(undefined, numbers(SPEEDS, signed)),
  }),
  categories: interest,
  tags: interest,
  pairs: entries(pair),
  recent: list(fields<Visit>({ time: finite, streamer: text, category: text, watchMs: nonNegative })),
  traits: fields<UserTraits>({
    age: or(undefined, between(0, 150)),
    gender: name,
    region: name,
    language: name,
    device: name,
  }),
  friends: names,
  follows: names,
  watching: or(null, fields({ streamer: text, since: finite })),
  session,
  rhythm: fields<Rhythm>({
    returns: sum,
    logGaps: signed,
    lateness: between(-100, 100),
    mood: between(-2, 2),
    fresh: sum,
    freshAt: finite,
  }),
  influence: fields<SavedInfluence>({ since: finite, decisions: sum, returns: sum, streamers: entries(contribution) }),
  fadedAt: finite,
});

const sums = fields<StreamerSums>({
  impressions: sum,
  clicks: sum,
  watches: sum,
  engaged: sum,
  weight: sum,
  repeats: sum,
  approvals: sum,
  surplus: signed,
  returns: sum,
  lateness: signed,
});

const layer = fields<SavedStreamers["platform"]>({ long: sums, now: or(undefined, sums), time: finite });

const streamer = fields<SavedStreamers["streamers"][number][1]>({
  long: sums,
  now: sums,
  time: finite,
  history: fields<StreamerHistory>({
    firstSeen: finite,
    lastOnAir: or(null, finite),
    streams: sum,
    categories: entries(sum),
    clicks: sum,
    repeats: sum,
    watches: sum,
    minutes: sum,
    approvals: sum,
    followers: sum,
  }),
});

const USERS = fields<SavedUsers>({
  users: entries(profile),
  streamers: fields<SavedStreamers>({ platform: layer, categories: entries(layer), streamers: entries(streamer) }),
  returns: fields<SavedReturns>({
    returns: sum,
    logGaps: signed,
    weights: numbers(4, between(-1e3, 1e3)),
    covariance: numbers(16, between(-1, 1)),
  }),
});

/** Requires the plain values of `Users.save`. @throws RangeError that names what is wrong. */
export function requireUsers(saved: unknown): void {
  requireShape(USERS, saved, "users");
}

/** Later visits weigh more: up to 2^64. */
const weight = between(0, 1e30);

const NEIGHBOURS = fields<SavedNeighbours>({
  origin: or(undefined, finite),
  visits: entries(names),
  counted: entries(weight),
  audiences: distinct<SavedNeighbours["audiences"][number]>(list(tuple(text, weight, entries(weight))), ([own]) => own),
});

/** Requires the plain values of `Neighbours.save`. @throws RangeError that names what is wrong. */
export function requireNeighbours(saved: unknown): void {
  requireShape(NEIGHBOURS, saved, "neighbours");
}

/** Requires the plain values of `CollaborativeVectors.save` beside its rows. @throws as {@link requireUsers}. */
export function requireVectors(saved: unknown, { window }: VectorOptions): void {
  type Saved = Omit<SavedVectors, "rows">;
  const shape: Shape = fields<Saved>({
    users: names,
    traits: names,
    streamers: names,
    categories: names,
    tags: names,
    offers: list(tuple(text, text, list(text)), 0, window),
    next: integer(0, window - 1),
    offered: any,
    random: numbers(4, word),
  });
  const ring = where<Saved>(
    shape,
    ({ offers, next }) => offers.length === window || next === offers.length,
    "a ring of offers without a hole",
  );
  requireShape(ring, saved, "vectors");
}
