/** Measurements of whole processes: the start to a first action, and memory. */
import { spawnSync } from "node:child_process";
import { DQN } from "../../src/index.js";
import type { EngineProbe } from "./probe.js";
import { SHAPES } from "./shapes.js";

const STARTS = 21;
const MEMORIES = 5;
const MEGABYTE = 2 ** 20;
/** In the child whose memory is measured. */
const UPDATES = 2000;
const OPTIONS = SHAPES.find(({ name }) => name === "M")!.options;

/** Runs code in this Node: its output, and the milliseconds from its start to its end. */
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

function starts(): number[] {
  const alone = run("-e", "0").ms;
  const { out, ms } = run(...module(FIRST_ACTION));
  return [alone, ms, ms - alone, ...(JSON.parse(out) as number[])];
}

function warmStart(): number[] {
  const start = performance.now();
  const agent = new DQN(OPTIONS);
  const ms = performance.now() - start;
  agent.dispose();
  return [ms];
}

function memories(): number[] {
  const of = (code: string) => (JSON.parse(run(...module(code)).out) as number[]).map((n) => n / MEGABYTE);
  const alone = of(MEMORY);
  const trained = of(TRAINED);
  return [...alone, ...trained, trained[0]! - alone[0]!];
}

const milliseconds = (suffix: string) => ({ metric: "time_ms", unit: "ms", suffix });
const megabytes = (suffix: string) => ({ metric: "megabytes", unit: "MB", suffix });

export const PROCESS_PROBES: readonly EngineProbe[] = [
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
    prepare: () => ({ samples: STARTS, sample: starts }),
  },
  {
    name: "start of M, new DQN in a warm process",
    metrics: [milliseconds("")],
    flop: 0,
    prepare: () => ({ sample: warmStart }),
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
    prepare: () => ({ samples: MEMORIES, sample: memories }),
  },
];
