/** What the bench of the engine measures, and how it goes round. */
import { type Case, sampler } from "../shapes.js";

/** One number of a sample. */
export interface Metric {
  metric: string;
  unit: string;
  /** Behind the name of the probe, where there are several. */
  suffix?: string;
}

/** Takes a sample each time it is called: a number for each metric. */
export type Sampler = () => readonly number[] | Promise<readonly number[]>;

export interface Probe {
  name: string;
  metrics: readonly Metric[];
  /** Multiplications and additions of one time; 0 where that says nothing. */
  flop: number;
  /** How many samples are enough, where one takes long. Default: one in each round. */
  samples?: number;
  /** Prepares it. It may throw where the machine lacks something. */
  make: () => Sampler | Promise<Sampler>;
}

/** A sampled metric of a probe. */
export interface Series extends Metric {
  /** With the suffix. */
  name: string;
  flop: number;
  values: number[];
}

const MICROSECONDS: readonly Metric[] = [{ metric: "time_us", unit: "us" }];

/** A probe of the time that a case takes, prepared when it is chosen. */
export function timed(name: string, prepare: () => Case | Promise<Case>, flop = 0): Probe {
  return {
    name,
    metrics: MICROSECONDS,
    flop,
    async make() {
      const sample = sampler(await prepare());
      // Until a case has run for a while, engines run what they have compiled in a hurry.
      sample();
      return () => [sample()];
    },
  };
}

/**
 * Samples all probes round by round, so that a slow spell of a shared machine falls on all of them alike.
 *
 * @param tell - Told how far it is, [0, 1], and with what.
 */
export async function sampleAll(
  probes: readonly Probe[],
  rounds: number,
  tell: (fraction: number, text: string) => void,
): Promise<Series[]> {
  const made: { every: number; sample: Sampler; series: Series[]; name: string }[] = [];
  for (const { name, metrics, flop, samples = rounds, make } of probes) {
    tell(0, `preparing ${name}`);
    const series = metrics.map((each) => ({ ...each, name: `${name}${each.suffix ?? ""}`, flop, values: [] }));
    const every = Math.max(1, Math.floor(rounds / samples));
    made.push({ name, every, sample: await make(), series });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, { name, every, sample, series }] of made.entries()) {
      if (round % every !== 0) continue;
      tell((round + i / made.length) / rounds, name);
      const values = await sample();
      for (const [j, value] of values.entries()) series[j]!.values.push(value);
    }
  }
  return made.flatMap(({ series }) => series);
}
