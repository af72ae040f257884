import { createReadStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { dealFolds, readLineBlocks, sampleMask, splitInstants } from "../../../logs/index.js";
import type { Id, LiveEvent } from "../../../protocol/index.js";
import { type Output, openOutputs } from "../../writing/output.js";

/** The values of `--split`. */
export const SPLITS = ["none", "time", "users", "folds", "leave-last-out"] as const;

export interface SplitOptions {
  split: (typeof SPLITS)[number];
  /** Of training, validation (if there are three) and test. */
  fractions: number[];
  folds: number;
  seed: number;
}

/** Names of the parts, by number of shares. */
export function partsOf(fractions: readonly number[]): string[] {
  return fractions.length === 2 ? ["train", "test"] : ["train", "validation", "test"];
}

/** Names of the parts of a split. */
export function namesOf({ split, fractions, folds }: SplitOptions): string[] {
  if (split === "folds") return foldsOf(folds);
  return split === "leave-last-out" ? ["train", "validation", "test"] : partsOf(fractions);
}

/** Distributes events over the files of a split. */
export interface Router {
  /** Paths within the folder, without `.jsonl`. */
  parts: string[];
  /** Positions in `parts`. */
  of(event: LiveEvent): readonly number[];
}

/** The facts about a log that a split needs first. */
export interface Survey {
  /** For a split by time: what `instantsOf` returns. */
  instants: readonly number[];
  /** Users, in the order of their first events. */
  users: readonly Id[];
}

/**
 * Routes events to parts. By time: to the part of their time. By users and folds: a user's events to the user's part, and
 * events of streams to all parts, since every policy may know what is on air. A friendship across parts goes to the later
 * one.
 */
export function routerOf({ split, fractions, folds, seed }: SplitOptions, { instants, users }: Survey): Router {
  const parts = partsOf(fractions);
  if (split === "time") {
    return { parts, of: ({ time }) => [instants.filter((instant) => time >= instant).length] };
  }
  if (split === "users") {
    const part = shareOut(users.length, fractions, seed);
    return { parts, of: byUser(users, part, parts.length, (own, friend) => [Math.max(own, friend)]) };
  }
  const all = [...Array(folds).keys()];
  const route = (own: number, friend: number) =>
    all.map((fold) => 2 * fold + (own === fold || friend === fold ? 1 : 0));
  return { parts: foldsOf(folds), of: byUser(users, dealFolds(users.length, folds, seed), 2 * folds, route) };
}

/** The instants that cut a file of events in order of time, as `splitInstants` does, without all times in memory. */
export async function instantsOf(file: string, count: number, fractions: readonly number[]): Promise<number[]> {
  // Of a list that holds its own positions they are the positions.
  const positions: ArrayLike<number> = new Proxy(
    { length: count },
    { get: (_, at) => (at === "length" ? count : +String(at)) },
  );
  const wanted = splitInstants(positions, fractions);
  const times = new Map<number, number>();
  for await (const { first, lines } of readLineBlocks(createReadStream(file), { maxLine: 2 ** 28 })) {
    for (const at of wanted) {
      const line = lines[at + 1 - first];
      if (line !== undefined) times.set(at, (JSON.parse(line as string) as LiveEvent).time);
    }
  }
  return wanted.map((at) => times.get(at)!);
}

/** Names of the parts, by number of folds. */
export function foldsOf(folds: number): string[] {
  const fold = (_: unknown, i: number) => [join(`fold-${i + 1}`, "train"), join(`fold-${i + 1}`, "test")];
  return Array.from({ length: folds }, fold).flat();
}

/** The part of each of n users or ratings: 0 is training, then validation, then test. */
export function shareOut(n: number, fractions: readonly number[], seed: number): Int32Array {
  const part = new Int32Array(n);
  let rest = Array.from({ length: n }, (_, i) => i);
  let left = 1;
  for (let p = fractions.length - 1; p > 0 && rest.length > 0; p--) {
    const drawn = sampleMask(rest.length, fractions[p]! / left, seed);
    for (const [i, thing] of rest.entries()) if (drawn[i] === 1) part[thing] = p;
    rest = rest.filter((_, i) => drawn[i] === 0);
    left -= fractions[p]!;
  }
  return part;
}

/** Routes by the group of the user and, for a friendship, the friend's group. */
function byUser(
  users: readonly Id[],
  group: Int32Array,
  parts: number,
  route: (own: number, friend: number) => number[],
): Router["of"] {
  const everywhere = [...Array(parts).keys()];
  const known = new Map(users.map((user, i) => [user, group[i]!]));
  return (event) => {
    if (!("user" in event)) return everywhere;
    const own = known.get(event.user)!;
    return route(own, "friend" in event ? (known.get(event.friend) ?? own) : own);
  };
}

/** Opens the files of the parts, and makes missing folders. */
export function openParts(folder: string, parts: readonly string[], signal: AbortSignal): Output[] {
  makeFolders(folder, parts);
  const files = parts.map((part) => join(folder, `${part}.jsonl`));
  return openOutputs(files, signal);
}

/** Makes the folders of the files of parts. */
export function makeFolders(folder: string, parts: readonly string[]): void {
  for (const part of parts) mkdirSync(dirname(join(folder, part)), { recursive: true });
}
