/** Samples that go round all cases, so that a slow spell of a shared machine falls on all of them alike. */
import type { Case, Context } from "./suite.js";
import { sampler, type Workload } from "./timing.js";

/** One number of a sample. */
export interface Metric {
  metric: string;
  unit: string;
  /** Behind the name of the probe, where it has several metrics. */
  suffix?: string;
}

/** A number for each metric, or several numbers of each. */
export type Sample = readonly (number | readonly number[])[];

/** A probe that is ready. */
export interface Prepared {
  sample(): Sample | Promise<Sample>;
  /** How many samples are enough, where one takes long. Default: one in each round. */
  samples?: number;
  /** Samples taken while it was prepared. */
  taken?: readonly Sample[];
}

/** A case that is sampled in turn with others. */
export interface Probe extends Case {
  readonly metrics: readonly Metric[];
  /** Prepares it. @throws Error where the machine lacks something. */
  prepare(): Prepared | Promise<Prepared>;
}

/** A sampled metric of a probe. */
export interface Series<P extends Probe = Probe> extends Metric {
  /** With the suffix. */
  name: string;
  probe: P;
  values: number[];
}

/** A probe of a workload, warm. */
export function prepared(workload: Workload): Prepared {
  const sample = sampler(workload);
  // At first, engines run code that they compiled in a hurry.
  sample();
  return { sample: () => [sample()] };
}

interface Running<P extends Probe> extends Prepared {
  probe: P;
  series: Series<P>[];
  isFaulty: boolean;
}

/** Whether a probe that takes so many samples takes one in a round: its samples are spread over all rounds. */
function isDue(round: number, samples: number, rounds: number): boolean {
  return Math.floor(((round + 1) * samples) / rounds) > Math.floor((round * samples) / rounds);
}

/** The result of a call; a failure is reported, and gives undefined. */
async function attempt<T>(name: string, call: () => T | Promise<T>, { fail, signal }: Context): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!signal.aborted) fail(`${name}: ${(error as Error).message.split("\n")[0]}`);
    return undefined;
  }
}

function add(series: readonly Series[], sample: Sample): void {
  for (const [i, value] of sample.entries()) series[i]!.values.push(...(typeof value === "number" ? [value] : value));
}

/**
 * Samples all probes round by round. A probe that fails is reported and left out.
 *
 * @returns A series for each metric of each probe that gave any sample.
 */
export async function sampleInTurn<P extends Probe>(
  probes: readonly P[],
  rounds: number,
  context: Context,
): Promise<Series<P>[]> {
  const running: Running<P>[] = [];
  for (const probe of probes) {
    if (context.signal.aborted) break;
    context.progress(0, `preparing ${probe.name}`);
    const ready = await attempt(probe.name, () => probe.prepare(), context);
    if (!ready) continue;
    const series = probe.metrics.map((metric) => {
      return { ...metric, name: `${probe.name}${metric.suffix ?? ""}`, probe, values: [] };
    });
    for (const sample of ready.taken ?? []) add(series, sample);
    running.push({ ...ready, probe, series, isFaulty: false });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, each] of running.entries()) {
      const samples = Math.min(rounds, each.samples ?? rounds);
      if (context.signal.aborted || each.isFaulty || !isDue(round, samples, rounds)) continue;
      context.progress((round + i / running.length) / rounds, each.probe.name);
      const sample = await attempt(each.probe.name, each.sample, context);
      if (sample) add(each.series, sample);
      else each.isFaulty = true;
    }
  }
  return running
    .filter(({ isFaulty }) => !isFaulty)
    .flatMap(({ series }) => series.filter(({ values }) => values.length > 0));
}
