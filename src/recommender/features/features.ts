import { mustBe, nonNegativeInteger, type Rule, show } from "../../check/index.js";
import { SnapshotError } from "../../engine/index.js";
import type { Id } from "../../protocol/index.js";
import { type CatalogStream, State, type UserProfile } from "../state/index.js";
import type { FeatureContext, FeatureGroup, FeatureWriter, Moment } from "./group.js";
import { content } from "./kept/content.js";
import { moments } from "./kept/moments.js";
import { taste } from "./kept/taste.js";
import { audience } from "./known/audience.js";
import { clock } from "./known/clock.js";
import { habits } from "./known/habits.js";
import { pair } from "./known/pair.js";
import { returns } from "./known/returns.js";
import { session } from "./known/session.js";
import { social } from "./known/social.js";

/** Changes with the meaning of any feature: an agent trained on other features cannot use these. */
export const featureVersion = 5;

/** The groups that need only impressions, clicks and watches. */
export function coreFeatures(): FeatureGroup[] {
  return [clock(), audience(), habits(), session(), pair()];
}

/**
 * The groups of features that a recommender has by default: the core groups, and groups that raised watching of fitting
 * streams where chat, pictures, regions or friends decide the fit (`npm run bench:recommender -- --only causes`). A
 * group without data from the platform is masked.
 */
export function defaultFeatures(): FeatureGroup[] {
  return [...coreFeatures(), returns(), social(), moments(), content(), taste()];
}

const isGroup = (value: unknown): boolean => {
  const group = value as FeatureGroup | null | undefined;
  return (
    typeof group?.name === "string" && typeof group.build === "function" && typeof group.withOptions === "function"
  );
};

/** The rule of an option that takes groups. */
export const featureGroups: Rule = [
  (value) => Array.isArray(value) && value.length > 0 && value.every(isGroup),
  "an array of groups of features, such as [session(), pair()]",
];

/** Rows are read four numbers at a time. */
function padded(width: number): number {
  return (width + 3) & ~3;
}

function isWriter({ observation, candidate, begin, writeObservation, writeCandidate }: FeatureWriter): boolean {
  const isFunction = (method: unknown) => typeof method === "function";
  return (
    [observation, candidate].every(nonNegativeInteger[0]) &&
    isFunction(begin) &&
    (observation === 0 || isFunction(writeObservation)) &&
    (candidate === 0 || isFunction(writeCandidate))
  );
}

/** What the engine takes at most. */
const INPUT_MAX = 1e6;

/**
 * Whether the first `count` numbers, a multiple of 4, are finite, after a clip of those that are far beyond what groups
 * write, as a state may make them that was never learned. No number is beyond the limit unless the sum of squares is.
 */
function areFinite(numbers: Float32Array, count: number): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < count; i += 4) {
    a += numbers[i]! * numbers[i]!;
    b += numbers[i + 1]! * numbers[i + 1]!;
    c += numbers[i + 2]! * numbers[i + 2]!;
    d += numbers[i + 3]! * numbers[i + 3]!;
  }
  const squares = a + b + c + d;
  if (squares <= INPUT_MAX * INPUT_MAX) return true;
  if (!Number.isFinite(squares)) return false;
  for (let i = 0; i < count; i++) numbers[i] = Math.min(Math.max(numbers[i]!, -INPUT_MAX), INPUT_MAX);
  return true;
}

/** Writes the rows of requests: the observation, then each candidate; all numbers are finite and in [-8, 8]. */
export class Features {
  readonly groups: readonly FeatureGroup[];
  /** Numbers in the observation, and in the row of a candidate: multiples of 4, the last ones 0. */
  readonly observationSize: number;
  readonly candidateSize: number;
  readonly #writers: readonly FeatureWriter[];
  /** The writers of candidates' rows. */
  readonly #candidates: readonly FeatureWriter[];

  /** @throws RangeError for two groups of one name, or groups that write no observation or no candidate. */
  constructor(groups: readonly FeatureGroup[], context: FeatureContext) {
    const names = groups.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw mustBe("features", "groups of different names", [twice, twice]);
    this.groups = groups;
    this.#writers = groups.map((group) => {
      const writer = group.build(context);
      if (!isWriter(writer)) throw mustBe(`features.${group.name}`, "a group that builds a FeatureWriter", writer);
      return writer;
    });
    this.#candidates = this.#writers.filter(({ candidate }) => candidate > 0);
    this.observationSize = padded(this.#writers.reduce((sum, { observation }) => sum + observation, 0));
    this.candidateSize = padded(this.#writers.reduce((sum, { candidate }) => sum + candidate, 0));
    if (this.observationSize === 0) throw mustBe("features", "groups of which one writes an observation", names);
    if (this.candidateSize === 0) throw mustBe("features", "groups of which one writes candidates", names);
  }

  /** The next rows are for this user at this time; `profile` is up to date. */
  begin(user: Id, profile: UserProfile, moment: Moment): void {
    for (const writer of this.#writers) writer.begin(user, profile, moment);
  }

  /**
   * Writes the observation, the first `observationSize` floats; numbers that a group leaves out are 0.
   * @throws RangeError that names a group which writes a number that is not finite.
   */
  writeObservation(row: Float32Array): void {
    const size = this.observationSize;
    row.fill(0, 0, size);
    let at = 0;
    for (const writer of this.#writers) {
      if (writer.observation > 0) writer.writeObservation!(row, at);
      at += writer.observation;
    }
    row.fill(0, at, size);
    if (!areFinite(row, size)) throw this.#fault("observation", row, size);
  }

  /**
   * Writes a row of `candidateSize` floats for each stream; numbers that a group leaves out are 0.
   * @throws RangeError that names a group which writes a number that is not finite.
   */
  writeCandidates(rows: Float32Array, streams: readonly CatalogStream[]): void {
    const size = this.candidateSize;
    const count = streams.length * size;
    rows.fill(0, 0, count);
    for (let i = 0; i < streams.length; i++) this.#write(rows, i * size, streams[i]!);
    if (!areFinite(rows, count)) throw this.#fault("candidate", rows, size);
  }

  /**
   * Makes a group unknown, in place: the user's part in an observation, and the stream's in each row of candidates.
   *
   * @param group - Index in `groups`.
   */
  occlude(group: number, observation: Float32Array, candidates: Float32Array): void {
    const writer = this.#writers[group]!;
    for (const part of ["observation", "candidate"] as const) {
      if (writer[part] === 0) continue;
      const [rows, size] = part === "candidate" ? [candidates, this.candidateSize] : [observation, observation.length];
      const start = this.#writers.slice(0, group).reduce((sum, earlier) => sum + earlier[part], 0);
      for (let at = start; at < rows.length; at += size) {
        rows.fill(0, at, at + writer[part]);
        writer.writeUnknown?.(rows, at, part);
      }
    }
  }

  /** Numbers in the observation and in the row of a candidate. */
  get sizes(): [number, number] {
    return [this.observationSize, this.candidateSize];
  }

  #write(rows: Float32Array, offset: number, stream: CatalogStream): void {
    let at = offset;
    for (let i = 0; i < this.#candidates.length; i++) {
      const writer = this.#candidates[i]!;
      writer.writeCandidate!(rows, at, stream);
      at += writer.candidate;
    }
    for (; at < offset + this.candidateSize; at++) rows[at] = 0;
  }

  #fault(part: "observation" | "candidate", rows: Float32Array, size: number): RangeError {
    const found = rows.findIndex((x) => !Number.isFinite(x));
    let end = found - (found % size);
    const at = this.#writers.findIndex((writer) => (end += writer[part]) > found);
    return mustBe(
      `features.${this.groups[at]!.name}`,
      `a group that writes finite numbers of the ${part}`,
      rows[found],
    );
  }
}

/** Number of values that groups write into the observation and into a candidate's row. */
export function featureSizes(groups: readonly FeatureGroup[]): { observation: number; candidate: number } {
  const { observationSize, candidateSize } = new Features(groups, { state: new State(), seed: 1 });
  return { observation: observationSize, candidate: candidateSize };
}

/** Name and options of a group in a saved file. */
export interface SavedGroup {
  name: string;
  options: object;
}

/**
 * The groups of a saved file, with its options.
 *
 * @param given - Groups to choose from, by name.
 * @throws SnapshotError that names the missing groups.
 */
export function savedGroups(saved: readonly SavedGroup[], given: readonly FeatureGroup[]): FeatureGroup[] {
  const missing = saved.filter(({ name }) => !given.some((group) => group.name === name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => show(name)).join(", ");
    throw new SnapshotError(`the file's features hold ${names}: give these groups to "load", as { features: [...] }`);
  }
  return saved.map(({ name, options }) => given.find((group) => group.name === name)!.withOptions(options));
}
