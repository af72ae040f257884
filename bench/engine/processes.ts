/** What takes a process of its own: the start to a first action, memory, and the loops in another Node. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DQN } from "../../src/index.js";
import type { Runtime } from "../../test/runtimes/install.js";
import { SHAPES } from "../shapes.js";
import type { Probe } from "./probe.js";

const STARTS = 21;
const MEMORIES = 5;
const MEGABYTE = 2 ** 20;
/** In the child whose memory is measured. */
const UPDATES = 2000;
const OPTIONS = SHAPES.find(({ name }) => name === "M")!.options;

/** Runs code in this Node; gives what it printed, and the milliseconds from its start to its end. */
function run(...args: readonly string[]): { out: string; ms: number } {
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`a child process failed: ${error?.message ?? stderr}`);
  return { out: stdout, ms };
}

const module = (code: string) => ["--input-type=module", "-e", code];

const FIRST_ACTION = `
  import { DQN } from "liveq";
  const start = performance.now();
  const agent = new DQN(${JSON.stringify(OPTIONS)});
  const made = performance.now();
  agent.act(new Float32Array(${OPTIONS.observation}));
  console.log(JSON.stringify([made - start, performance.now() - made]));`;

const MEMORY = "console.log(JSON.stringify([process.memoryUsage().rss, process.resourceUsage().maxRSS * 1024]));";

const TRAINED = `
  import { DQN } from "liveq";
  const agent = new DQN(${JSON.stringify(OPTIONS)});
  const observation = new Float32Array(${OPTIONS.observation});
  for (let i = 0; i < ${UPDATES}; i++) {
    observation.fill((i % 7) / 7);
    agent.observe({ observation, action: i % ${OPTIONS.actions}, reward: i % 2, terminated: i % 20 === 0, nextObservation: observation });
    agent.learn();
  }
  ${MEMORY}`;

const milliseconds = (suffix: string) => ({ metric: "time_ms", unit: "ms", suffix });
const megabytes = (suffix: string) => ({ metric: "megabytes", unit: "MB", suffix });

export const PROCESS_PROBES: readonly Probe[] = [
  {
    name: "start of M",
    metrics: [
      milliseconds(", Node alone"),
      milliseconds(", to the first action and exit"),
      milliseconds(", beyond Node alone"),
      milliseconds(", of it new DQN, Wasm compiled"),
      milliseconds(", of it the first action"),
    ],
    flop: 0,
    samples: STARTS,
    make: () => () => {
      const alone = run("-e", "0").ms;
      const { out, ms } = run(...module(FIRST_ACTION));
      return [alone, ms, ms - alone, ...(JSON.parse(out) as number[])];
    },
  },
  {
    name: "start of M, new DQN in a warm process",
    metrics: [milliseconds("")],
    flop: 0,
    make: () => () => {
      const start = performance.now();
      const agent = new DQN(OPTIONS);
      const ms = performance.now() - start;
      agent.dispose();
      return [ms];
    },
  },
  {
    name: "memory",
    metrics: [
      megabytes(", Node alone"),
      megabytes(", Node alone at its peak"),
      megabytes(", trained M"),
      megabytes(", trained M at its peak"),
      megabytes(", beyond Node alone"),
    ],
    flop: 0,
    samples: MEMORIES,
    make: () => () => {
      const of = (code: string) => (JSON.parse(run(...module(code)).out) as number[]).map((n) => n / MEGABYTE);
      const alone = of(MEMORY);
      const trained = of(TRAINED);
      return [...alone, ...trained, trained[0]! - alone[0]!];
    },
  },
];

/** The register-only loops in another Node, in the same rounds; `stop` lets it go. */
export async function loopsOf({
  name,
  command: [program, ...first],
}: Runtime): Promise<{ probe: Probe; stop: () => void }> {
  const script = fileURLToPath(new URL("loops.ts", import.meta.url));
  const child = spawn(program!, [...first, "--import", "tsx", script], { stdio: ["pipe", "pipe", "inherit"] });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the loops of ${name} ended with ${code}`)));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await Promise.race([lines.next(), failed])).value as string) as unknown;
  const names = (await answer()) as string[];
  const probe: Probe = {
    name: "loop/",
    metrics: names.map((each) => ({ metric: "gflops", unit: "GFLOP/s", suffix: `${each}, ${name}` })),
    flop: 0,
    make: () => async () => {
      child.stdin.write("\n");
      return (await answer()) as number[];
    },
  };
  return { probe, stop: () => void child.kill() };
}
