/** How code is timed, in whatever runtime: nothing here may need Node. */

const SAMPLE_MS = 20;

/** Something to time: `call` does it `count` times. */
export interface Workload {
  name: string;
  /** Multiplications and additions of one time. */
  flop: number;
  call: (count: number) => void;
}

/** Takes a sample of about SAMPLE_MS each time it is called: microseconds of one time of a workload. */
export function sampler({ call }: Workload): () => number {
  const measure = (count: number) => {
    const start = performance.now();
    call(count);
    return performance.now() - start;
  };
  let count = 1;
  while (measure(count) < SAMPLE_MS) count *= 2;
  return () => (1000 * measure(count)) / count;
}

/**
 * Microseconds of each workload, sample by sample. Samples go round all workloads, so that a slow spell of a shared machine
 * falls on all of them alike.
 */
export function time(workloads: readonly Workload[], samples: number): number[][] {
  const samplers = workloads.map(sampler);
  const round = () => samplers.map((sample) => sample());
  // At first, engines run code that they compiled in a hurry.
  round();
  const rounds = Array.from({ length: samples }, round);
  return workloads.map((_, i) => rounds.map((times) => times[i]!));
}

/** The middle of some samples, and how far they spread. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** Of an even number of samples, the median is the mean of the middle two. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}
