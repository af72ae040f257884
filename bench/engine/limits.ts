/** The register-only loops as probes: of this Node, and where it has no relaxed SIMD those of one that has. */
import { fileURLToPath } from "node:url";
import { type Runtime, type RuntimeName, runtime } from "../../test/runtimes/install.js";
import { Dialogue } from "../harness/dialogue.js";
import { sampler } from "../harness/timing.js";
import type { EngineProbe } from "./probe.js";
import { rooflineLoops } from "./roofline.js";

/** Has relaxed SIMD. */
const PEER: RuntimeName = "node24";

export interface Limits {
  probes: EngineProbe[];
  /** Which loops count, where these are not those of this Node alone. */
  note: string;
  /** Ends the other Node. */
  stop: () => Promise<void>;
}

export async function limits(): Promise<Limits> {
  const { loops, isRelaxed } = rooflineLoops();
  const probes = loops.map((loop): EngineProbe => {
    const prepare = () => {
      const sample = sampler(loop);
      sample();
      return { sample: () => [loop.flop / sample() / 1000] };
    };
    return { name: `loop/${loop.name}`, metrics: [{ metric: "gflops", unit: "GFLOP/s" }], flop: 0, prepare };
  });
  const stop = async () => {};
  if (isRelaxed) return { probes, note: "", stop };
  const without = "this Node has no relaxed SIMD";
  const found = runtime(PEER);
  if ("missing" in found) {
    const note = `${without}, and ${PEER} is missing (${found.missing}): percents are of this Node's own loops`;
    return { probes, note, stop };
  }
  const other = await loopsIn(found);
  const note = `${without}: the loops of Node ${found.version} count too`;
  return { probes: [...probes, other.probe], note, stop: other.stop };
}

/** The loops in another Node, in the same rounds. */
async function loopsIn({
  name,
  command: [command, ...words],
}: Runtime): Promise<Pick<Limits, "stop"> & { probe: EngineProbe }> {
  const script = fileURLToPath(new URL("loops.ts", import.meta.url));
  const { dialogue, first } = await Dialogue.start({ command: command!, words: [...words, "--import", "tsx", script] });
  const probe: EngineProbe = {
    name: "loop/",
    metrics: (first as string[]).map((each) => ({ metric: "gflops", unit: "GFLOP/s", suffix: `${each}, ${name}` })),
    flop: 0,
    prepare: () => ({ sample: async () => (await dialogue.ask("")) as number[] }),
  };
  return { probe, stop: () => dialogue.close() };
}
