import { type FileBytes, packSnapshot, unpackSnapshot } from "../../src/engine/index.js";
import type { Random } from "../../src/numeric/index.js";

/** A file's JSON before it is checked. */
// biome-ignore lint/suspicious/noExplicitAny: it is whatever a file holds.
export type Json = any;

/** The parts of a recommender's file. */
export interface Parts {
  metadata: Record<string, string>;
  json: unknown;
  /** The records of parts that hold a line of JSON each. */
  lines: Record<string, unknown[]>;
  bytes: Map<string, Uint8Array>;
}

/** Parts of records. */
const LINES = ["decisions", "deadlines", "watches", "catalogue", "signs", "forgotten"];

const decode = (bytes: Uint8Array): Json[] =>
  new TextDecoder()
    .decode(bytes)
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const encode = (records: readonly unknown[]) =>
  new TextEncoder().encode(records.map((record) => `${JSON.stringify(record)}\n`).join(""));

export function partsOf(file: FileBytes): Parts {
  const { metadata, tensors } = unpackSnapshot("recommender", file);
  const bytes = new Map(tensors);
  const json = JSON.parse(new TextDecoder().decode(bytes.get("json")!));
  bytes.delete("json");
  const { version, features } = metadata;
  const lines = Object.fromEntries(LINES.map((name) => [name, decode(bytes.get(name)!)]));
  return { metadata: { version: version!, features: features! }, json, lines, bytes };
}

/** A file of such parts with a digest that fits. `text`: in place of the JSON. */
export function forged({ metadata, json, lines, bytes }: Parts, text = JSON.stringify(json)): Uint8Array {
  for (const [name, records] of Object.entries(lines)) bytes.set(name, encode(records));
  return packSnapshot("recommender", metadata, new Map([["json", new TextEncoder().encode(text)], ...bytes]));
}

type Path = (string | number)[];

/** The paths of all values in a plain value; of arrays the first, the second and the last item. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value)
    ? [...new Set([0, 1, value.length - 1])].filter((i) => i >= 0 && i < value.length)
    : Object.keys(value);
  return keys.flatMap((key) => {
    const own = [...path, key];
    return [own, ...pathsOf((value as Record<string | number, unknown>)[key], own)];
  });
}

/** What takes the place of a value: wrong types, and numbers that are huge, negative or fractions; some are not JSON. */
export const REPLACEMENTS: readonly unknown[] = [
  null,
  true,
  "",
  "x",
  "NaN",
  "__proto__",
  [],
  {},
  [[["a"]]],
  { __proto__x: 1 },
  -1,
  -0.5,
  0.5,
  1e15,
  4294967296,
  9007199254740992,
  -9007199254740992,
  1e39,
  1e308,
  -1e308,
  5e-324,
];

/** One fault put into a plain value, in place, and in words. */
export function mutate(root: unknown, path: Path, random: Random): string {
  const last = path.at(-1)!;
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root);
  const at = holder as Record<string | number, unknown>;
  const value = at[last];
  const name = path.join(".");
  const kind = random.below(8);
  if (kind === 0) {
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete at[last];
    return `${name} dropped`;
  }
  if (kind === 1) {
    if (Array.isArray(holder)) holder.splice(Number(last), 0, structuredClone(value));
    else at[`${last}2`] = value;
    return `${name} doubled`;
  }
  if (kind === 2 && Array.isArray(value)) {
    value.length = random.below(value.length + 1);
    return `${name} shortened to ${value.length}`;
  }
  if (kind === 3 && Array.isArray(value)) {
    const from = value.slice(0, 1 + random.below(3));
    for (let i = random.below(200); i >= 0; i--) value.push(...structuredClone(from.length > 0 ? from : [0]));
    return `${name} lengthened to ${value.length}`;
  }
  // Later faults may change what one put in.
  at[last] = structuredClone(random.pick(REPLACEMENTS));
  return `${name} = ${JSON.stringify(at[last])}`;
}

/** One fault put into the bytes of a part, by a copy, and in words. */
export function mutateBytes(parts: Parts, random: Random): string {
  // An agent's file has a digest of its own, and tests of its own.
  const others = [...parts.bytes.keys()].filter((name) => name !== "agent" && !LINES.includes(name));
  const name = random.below(20) === 0 ? "agent" : random.pick([...others, "pending"]);
  const bytes = parts.bytes.get(name)!;
  const set = (changed: Uint8Array) => parts.bytes.set(name, changed);
  const at = 4 * random.below(Math.max(1, bytes.length >> 2));
  const put = (float: number) => {
    const copy = bytes.slice();
    if (copy.length >= at + 4) new DataView(copy.buffer).setFloat32(at, float, true);
    set(copy);
  };
  switch (random.below(8)) {
    case 0:
      parts.bytes.delete(name);
      return `${name} missing`;
    case 1:
      set(new Uint8Array(0));
      return `${name} empty`;
    case 2:
      set(bytes.subarray(0, at));
      return `${name} cut at ${at}`;
    case 3:
      set(bytes.subarray(0, Math.max(0, bytes.length - 1)));
      return `${name} one byte short`;
    case 4:
      set(Uint8Array.of(...bytes.subarray(0, 64), ...bytes));
      return `${name} longer`;
    default: {
      if (bytes.length > 0 && random.below(3) === 0) {
        const copy = bytes.slice();
        const place = random.below(copy.length);
        copy[place] = random.pick([0, 1, 127, 128, 255, copy[place]! ^ (1 << random.below(8))]);
        set(copy);
        return `${name}: ${copy[place]} at byte ${place}`;
      }
      const float = random.pick([Number.NaN, Number.POSITIVE_INFINITY, -1e30, 3e38, -0, 2e6]);
      put(float);
      return `${name}: ${float} at ${at}`;
    }
  }
}
