import { weightedIndex } from "../../../src/numeric/distributions.js";
/**
 * The simulated platform beside measurements of real ones: 217 429 broadcasts on Twitch (37 days), and
 * 4.9 million visits of 23 772 users of KuaiLive (21 days; Qu et al. 2025, arXiv:2508.05633).
 *
 * Viewers are served by a logging policy that draws streams by popularity: each with a chance in proportion to the square
 * root of its viewers. The real logs come from systems that are not public; such a policy lies between random and most
 * popular, and shows every stream now and then. It shows one stream at a time, as KuaiLive does, so that
 * an exposure is a stream that was looked at.
 */
import { Random } from "../../../src/numeric/random.js";
import type { Decision, LiveEvent, Policy, Request } from "../../../src/recommender/index.js";
import { Catalogue } from "../../../src/recommender/state/index.js";
import { simulate } from "../../../src/simulator/index.js";
import { type Interval, meanInterval } from "../../../src/statistics/index.js";
import { Broadcasts } from "./broadcasts.js";
import { STATISTICS, type Statistic } from "./statistics.js";
import { Visits } from "./visits.js";

/** Size of the worlds that are measured. */
export interface CalibrationOptions {
  seeds: readonly number[];
  /** The world whose broadcasts are measured. */
  broadcasts: { streamers: number; days: number };
  /** The world whose visits are measured. */
  visits: { viewers: number; streamers: number; days: number };
}

/**
 * As many days as the published figures are of. Eight streamers a viewer give the median streamer the time watched that was
 * measured, and leave everything else as with five; KuaiLive has 19, of whom most were never shown.
 */
export const CALIBRATION: CalibrationOptions = {
  seeds: [1, 2, 3, 4, 5],
  broadcasts: { streamers: 2000, days: 37 },
  visits: { viewers: 1000, streamers: 8000, days: 21 },
};

/** The worlds that are measured at other satiations: not those that the fit was made on. */
export const SATIATION_WORLDS: Pick<CalibrationOptions, "seeds" | "visits"> = {
  seeds: [4, 5, 6, 7, 8],
  visits: { viewers: 1000, streamers: 3000, days: 21 },
};

/** One statistic, published and simulated. */
export interface Calibrated extends Pick<Statistic, "name" | "source" | "unit" | "published" | "band" | "note"> {
  /** Mean over the seeds, with its 95 % interval. */
  simulated: Interval;
  /** Whether the mean lies in the band. */
  fits: boolean;
}

/** Shows each stream with a chance in proportion to the square root of its viewers. */
export class DrawnByPopularity implements Policy {
  readonly name = "drawn-by-popularity";
  readonly #catalog = new Catalogue();
  readonly #random: Random;
  #weights = new Float64Array(64);
  #decisions = 0;

  constructor(seed: number) {
    this.#random = Random.named(seed, "policy", "drawn-by-popularity");
  }

  recommend({ user, now, k, candidates }: Request): Decision {
    const streams = this.#catalog.among(candidates);
    if (this.#weights.length < streams.length) this.#weights = new Float64Array(2 * streams.length);
    const weights = this.#weights.subarray(0, streams.length);
    let total = 0;
    streams.forEach(({ viewers }, i) => {
      weights[i] = Math.sqrt(viewers + 1);
      total += weights[i]!;
    });
    const slate: string[] = [];
    const propensities: number[] = [];
    while (slate.length < Math.min(k, streams.length)) {
      const index = weightedIndex(this.#random, weights);
      slate.push(streams[index]!.id);
      propensities.push(weights[index]! / total);
      total -= weights[index]!;
      weights[index] = 0;
    }
    const id = `${this.name}-${this.#decisions++}`;
    return { id, user, time: now, slate, propensities, scores: propensities };
  }

  feedback(event: LiveEvent): void {
    this.#catalog.feedback(event);
  }
}

/** The statistics of visits to one seed's world, by name. */
function measureVisits(seed: number, size: CalibrationOptions["visits"], satiation?: number): [string, number][] {
  const visits = new Visits(size);
  simulate(
    new DrawnByPopularity(seed),
    // The published users are the same for three weeks.
    { ...size, slate: 1, seed, newcomers: false, ...(satiation !== undefined && { satiation }) },
    { onEvent: (event) => visits.feedback(event) },
  );
  return visits.statistics();
}

/** The statistics of one seed's worlds, by name. */
export function measureWorld(seed: number, options: CalibrationOptions): Map<string, number> {
  const broadcasts = new Broadcasts(options.broadcasts.days);
  const onlooker = { ...options.broadcasts, viewers: 1, slate: 1, seed };
  simulate(new DrawnByPopularity(seed), onlooker, {
    onEvent: (event) => broadcasts.feedback(event),
    onProgress: () => broadcasts.hour(),
  });
  return new Map([...broadcasts.statistics(), ...measureVisits(seed, options.visits)]);
}

/**
 * Every statistic of the published figures beside the simulated one.
 *
 * @param onSeed - Called after each seed with how many are done.
 */
export function calibrate(
  options: CalibrationOptions = CALIBRATION,
  onSeed: (done: number) => void = () => {},
): Calibrated[] {
  const worlds = options.seeds.map((seed, i) => {
    const world = measureWorld(seed, options);
    onSeed(i + 1);
    return world;
  });
  return STATISTICS.map((statistic) => compared(statistic, worlds));
}

/** A statistic beside its values in some worlds. */
function compared(statistic: Statistic, worlds: readonly ReadonlyMap<string, number>[]): Calibrated {
  const { name, source, unit, published, band, note } = statistic;
  const simulated = meanInterval(
    worlds.map((world) => {
      const value = world.get(name);
      if (value === undefined) throw new Error(`nothing measures "${name}"`);
      return value;
    }),
  );
  const [least, most] = band;
  const fits = simulated.value >= least && simulated.value <= most;
  return { name, source, unit, published, band, simulated, fits, ...(note === undefined ? {} : { note }) };
}

/** How long users watch in all: what has to stay the same whatever the satiation. */
const BY_USER = STATISTICS.filter(({ name }) => name.startsWith("watch time of a user"));

/**
 * How long users watch in three weeks, beside the published figures, at a satiation in minutes.
 *
 * @param onSeed - Called after each seed with how many are done.
 */
export function calibrateSatiation(
  satiation: number,
  { seeds, visits }: Pick<CalibrationOptions, "seeds" | "visits"> = SATIATION_WORLDS,
  onSeed: (done: number) => void = () => {},
): Calibrated[] {
  const worlds = seeds.map((seed, i) => {
    const world = new Map(measureVisits(seed, visits, satiation));
    onSeed(i + 1);
    return world;
  });
  return BY_USER.map((statistic) => compared(statistic, worlds));
}
