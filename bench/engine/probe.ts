import { type Probe, prepared } from "../harness/rounds.js";
import type { Workload } from "../harness/timing.js";

/** A probe of the engine. */
export interface EngineProbe extends Probe {
  /** Multiplications and additions of one time; 0 where they are not known. */
  flop: number;
}

/** A probe of the time of a workload, which is made when the probe is chosen. */
export function timed(name: string, make: () => Workload | Promise<Workload>, flop = 0): EngineProbe {
  return { name, metrics: [{ metric: "time_us", unit: "us" }], flop, prepare: async () => prepared(await make()) };
}
