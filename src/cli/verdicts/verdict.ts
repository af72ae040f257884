import { growthToTell, type Interval, observationsToTell } from "../../statistics/index.js";

/** How one contestant did beside another on the same users or worlds. */
export interface Paired extends Interval {
  /** Who is judged, and beside whom. */
  name: string;
  reference: string;
  /** What was measured, in words: `NDCG@10`. More is better. */
  metric: string;
  /** The reference's own value, of which the gain is a share; 1 where the gain is a share already. */
  base: number;
  /** What is independent, in the plural: `users`, `worlds`. */
  unit: string;
}

/** Percents above which more data is no answer: two contestants are alike. Set by hand. */
const GROWTH_MAX = 1000;
/** Names that a sentence says better in words. */
const NAMES: Readonly<Record<string, string>> = { popular: "most popular", itempop: "most popular", dqn: "the DQN" };

function inWords(name: string): string {
  return NAMES[name] ?? name;
}

/** `12 %`, `0.4 %`; without a base, the plain number. */
function shown(value: number, base: number): string {
  if (base <= 0) return value.toPrecision(2);
  const percent = (100 * value) / base;
  return Math.abs(percent) < 9.95 ? percent.toFixed(1) : percent.toFixed(0);
}

function unitOf(base: number): string {
  return base > 0 ? " %" : "";
}

/** A gain in short, for tables: `+12 % [8.0, 16]`. */
export function gainOf({ value, lo, hi, base }: Pick<Paired, "value" | "lo" | "hi" | "base">): string {
  const own = `${value >= 0 ? "+" : ""}${shown(value, base)}${unitOf(base)}`;
  return Number.isFinite(lo) && Number.isFinite(hi) ? `${own} [${shown(lo, base)}, ${shown(hi, base)}]` : own;
}

/** A number of times in words a reader can act on: two digits. */
function times(growth: number): string {
  return growth < 9.5 ? String(Math.ceil(growth * 2) / 2) : String(Number(growth.toPrecision(2)));
}

/**
 * One plain sentence on what a paired figure means: better, worse, or not to be told apart, by how much, and how much more
 * data it would take to tell.
 */
export function verdict(paired: Paired): string {
  const { value, lo, hi, n, base, metric, unit } = paired;
  const [name, reference] = [inWords(paired.name), inWords(paired.reference)];
  // A file's name stays as it is.
  const subject =
    name === paired.name && !name.startsWith("the ") ? name : name.charAt(0).toUpperCase() + name.slice(1);
  if (!Number.isFinite(value)) return `${subject} and ${reference} cannot be compared: there is no ${metric}.`;
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) {
    const got = `${gainOf(paired)} in ${metric} beside ${reference}`;
    return `${subject}: ${got}, but too few ${unit} for an interval: nothing can be said.`;
  }
  const by = (sign: number) => {
    const bounds = [sign * lo, sign * hi].sort((a, b) => a - b).map((bound) => shown(bound, base));
    return `${shown(sign * value, base)}${unitOf(base)} [${bounds.join(", ")}] in ${metric}`;
  };
  if (lo > 0) return `${subject} is better than ${reference} by ${by(1)}: the interval leaves out 0.`;
  if (hi < 0) return `${subject} is worse than ${reference} by ${by(-1)}: the interval leaves out 0.`;
  if (lo === 0 && hi === 0) return `${subject} and ${reference} are equal in ${metric}.`;
  const unseen = `No difference between ${name} and ${reference} can be seen: ${gainOf(paired)} in ${metric}`;
  const needed = unit === "worlds" ? observationsToTell(paired) : n * growthToTell(paired);
  const growth = needed / n;
  if (growth > GROWTH_MAX) return `${unseen}; they are alike, and more ${unit} will hardly tell them apart.`;
  const count = unit === "worlds" ? ` (${needed})` : "";
  return `${unseen}; if that is the difference, about ${times(growth)} times as many ${unit}${count} are needed to see it.`;
}

/** How much a model has learned from, and the updates before which it shows the most watched streams. */
export interface Learned {
  updates: number;
  warmupUpdates: number;
  users: number;
}

/** What may help a model that is not better than what it was compared with. */
export function adviceOf(name: string, { updates, warmupUpdates, users }: Learned): string {
  if (updates < warmupUpdates) {
    const factor = updates === 0 ? "" : `, such as one ${times(warmupUpdates / updates)} times as long, or --epochs`;
    return `${name} still shows the most watched streams: of ${warmupUpdates} updates it has had ${updates}. It needs a longer log${factor}.`;
  }
  const had = `${name} has learned from ${users} users in ${updates} updates`;
  return `${had}. What may help: a longer log; its options (liveq tune); the decisions of a policy that explores (--decisions).`;
}

/** What to send for a group of features that has no data. */
const SOURCES: Readonly<Record<string, string>> = {
  traits: "user events",
  pages: "page_view events",
  social: "follow and friend events",
  moments: "chat and other events of the moment",
  content: "titles, tags or embeddings in on_air events",
  taste: "likes, comments and shares",
  vectors: "a longer log",
  neighbours: "a longer log",
  columns: "the columns that it was given",
};

/**
 * One sentence on which groups of features had data, from the share of requests in which each differed from an unknown user
 * and unknown streams.
 */
export function dataOf(shares: ReadonlyMap<string, number>): string {
  const names = [...shares].sort(([, a], [, b]) => b - a);
  const full = names.filter(([, share]) => share > 0).map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`);
  const empty = names.filter(([, share]) => share === 0).map(([name]) => name);
  const had = `Groups of features with data, by share of requests: ${full.join(", ") || "none"}`;
  if (empty.length === 0) return `${had}.`;
  const sends = empty.map((name) => (SOURCES[name] === undefined ? name : `${name} (${SOURCES[name]})`));
  return `${had}. Without data: ${sends.join(", ")}.`;
}

/** Why an estimate from another policy's log says nothing, and what would help. */
export function unsupported(name: string, ess: number, decisions: number, least: number): string {
  const left = `its weights leave ${ess.toFixed(1)} of ${decisions} decisions`;
  const more = ess > 0 ? `about ${times(least / ess)} times as many decisions` : "decisions that it could have made";
  return `What ${inWords(name)} would earn cannot be told: ${left}. It needs ${more}, or the log of a policy that explores more.`;
}
