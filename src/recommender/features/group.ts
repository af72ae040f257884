import type { Id } from "../../protocol/index.js";
import type { CatalogStream, State, UserProfile } from "../state/index.js";

/** Time and platform at one request, the same for all its streams. */
export interface Moment {
  /** Time of the request, milliseconds. */
  readonly now: number;
  /** Number of streams on air. */
  readonly onAir: number;
  /** Largest number of viewers among the candidates. */
  readonly viewersMax: number;
}

/** Context of a group's build: the state that it reads and adds keepers to, and the seed of everything random. */
export interface FeatureContext {
  readonly state: State;
  readonly seed: number;
}

/**
 * Writes the numbers of one group into rows. All are finite and in [-8, 8]; each number that may be unknown has a mask.
 */
export interface FeatureWriter {
  /** Numbers in the observation, and in the row of each candidate. */
  readonly observation: number;
  readonly candidate: number;
  /** The next rows are for this user at this time. `profile` is up to date, and holds only the past. */
  begin(user: Id, profile: UserProfile, moment: Moment): void;
  /** Writes all `observation` numbers, from `offset`. */
  writeObservation?(row: Float32Array, offset: number): void;
  /** Writes all `candidate` numbers, from `offset`, without allocating. */
  writeCandidate?(row: Float32Array, offset: number, stream: CatalogStream): void;
  /**
   * Writes the numbers of a user, or of a stream for a user, of whom nothing is known: explanations put them in place of
   * the group's own. The numbers are 0 before, and the latest `begin` holds. Default: all 0, masked.
   */
  writeUnknown?(row: Float32Array, offset: number, part: "observation" | "candidate"): void;
}

/**
 * A group of features, as a value: `new Recommender({ features: [session(), pair(), mine()] })`. Make one of your own
 * with `featureGroup`.
 */
export interface FeatureGroup {
  /** Unique among the groups of a recommender; a saved file names its groups. */
  readonly name: string;
  /** Plain values, saved with the recommender. */
  readonly options: object;
  /** Builds the group for one recommender, and adds the keepers that it needs to the state. */
  build(context: FeatureContext): FeatureWriter;
  /** The same group with the options of a saved file. */
  withOptions(options: object): FeatureGroup;
}

/**
 * Makes a group of features.
 *
 * @param name - Unique among the groups of a recommender.
 * @param options - Plain values for `JSON.stringify`: a file keeps them, `Recommender.load` restores them.
 * @param build - Called once for each recommender.
 *
 * ```ts
 * const weekend = () =>
 *   featureGroup("weekend", {}, () => {
 *     let isWeekend = 0;
 *     return {
 *       observation: 1,
 *       candidate: 0,
 *       begin: (_user, _profile, { now }) => { isWeekend = Math.floor(now / 86_400_000 + 4) % 7 % 6 === 0 ? 1 : 0; },
 *       writeObservation: (row, offset) => { row[offset] = isWeekend; },
 *     };
 *   });
 * ```
 */
export function featureGroup<O extends object>(
  name: string,
  options: O,
  build: (context: FeatureContext, options: O) => FeatureWriter,
): FeatureGroup {
  return {
    name,
    options,
    build: (context) => build(context, options),
    withOptions: (saved) => featureGroup(name, saved as O, build),
  };
}
