/** How fast a server answers, takes events and begins: `npm run bench:server`. */
import { type ChildProcess, execFile, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { type Row, type StoredRow, stamped } from "../src/cli/writing/results.js";
import { quantile } from "../src/statistics/index.js";
import { Client, Served } from "../test/support/served.js";
import type { HostCall, HostStart } from "./server/host.js";
import type { LoadResult, LoadStart } from "./server/load.js";
import { streams } from "./server/records.js";

const program = new Command("bench:server")
  .description(
    "Measures a server: slates in process and over HTTP, durable events, its start, and what it does under too much load.",
  )
  .option("--json <file>", "put the rows into this file, in place of those of the same cases")
  .option("--only <text...>", "only the cases whose name holds one of these");
const { json, only } = program.parse().opts<{ json?: string; only?: string[] }>();
const run = promisify(execFile);
const TSX = ["--import", "tsx"];

mkdirSync(".build", { recursive: true });
const folder = mkdtempSync(resolve(".build", "bench-server-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let folders = 0;
const fresh = () => join(folder, `${folders++}`);

const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
const p99 = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.99,
  );

/** A server in a process, and what it says. */
class Host {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(what: HostStart["what"], maxTurnMs = 0): Promise<Host> {
    const start: HostStart = { what, folder: fresh(), maxTurnMs };
    const child = fork("bench/server/host.ts", [JSON.stringify(start)], { execArgv: TSX });
    const [{ url }] = (await once(child, "message")) as [{ url: string }];
    return new Host(child, url);
  }

  async ask<T>(call: HostCall): Promise<T> {
    this.#child.send(call);
    return ((await once(this.#child, "message")) as [T])[0];
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

async function load(start: LoadStart): Promise<LoadResult> {
  const words = [...TSX, "bench/server/load.ts", JSON.stringify(start)];
  return JSON.parse((await run(process.execPath, words, { maxBuffer: 2 ** 28 })).stdout) as LoadResult;
}

const LUA = `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local n = 0
request = function()
  n = n + 7919
  return wrk.format(nil, "/v1/recommend", nil, '{"user":"u' .. (n % 500) .. '","k":6}')
end
delay = function() return DELAY end
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read + summary.errors.timeout))
end
`;

function hasWrk(): boolean {
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
  return true;
}
const WRK = hasWrk();

/** Requests a second, and latencies in microseconds. */
interface Rate {
  perSecond: number;
  p50: number;
  p99: number;
}

/** Asks with so many connections, each `delayMs` after its last answer; with wrk, or with a generator of our own. */
async function press(url: string, connections: number, seconds: number, delayMs = 0): Promise<Rate> {
  if (!WRK) {
    const rate = delayMs === 0 ? 0 : (1000 * connections) / (delayMs + 1);
    const { taken, seconds: took } = await load({ url, seconds, connections, rate });
    return { perSecond: taken.length / took, p50: median(taken), p99: p99(taken) };
  }
  const script = join(folder, `load-${delayMs}.lua`);
  writeFileSync(script, LUA.replace("DELAY", String(delayMs)));
  const { stdout } = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script, url]);
  const [, count, us, half, most, errors] = /RESULT (\S+) (\S+) (\S+) (\S+) (\S+)/.exec(stdout)!.map(Number);
  if (errors! > 0) throw new Error(`${errors} requests failed: ${stdout}`);
  return { perSecond: (count! / us!) * 1e6, p50: half!, p99: most! };
}

const row = (name: string, metric: string, value: number, unit: string, more: Partial<Row> = {}): Row => {
  return { suite: "server", case: name, metric, value, unit, ...more };
};

/** Blocks of calls with the learner at work, each followed by one without. */
const BLOCKS = 4;

/** Slates in the process of the server, with a learner that learns without a pause. */
async function inProcess(): Promise<Row[]> {
  const name = "in process, 200 candidates";
  const host = await Host.start("edge");
  interface Told {
    wall: number[];
    cpu: number[];
    updates: number;
  }
  // Until all code is compiled.
  await host.ask<Told>({ call: "inProcess", calls: 5000 });
  const rows: Row[] = [];
  const told = new Map(
    [true, false].map((isOn) => [isOn, { wall: [], cpu: [], updates: 0, seconds: 0 } as Told & { seconds: number }]),
  );
  for (let i = 0; i < 2 * BLOCKS; i++) {
    const isOn = i % 2 === 0;
    await host.ask({ call: "learn", isOn });
    const from = performance.now();
    const { wall, cpu, updates } = await host.ask<Told>({ call: "inProcess", calls: 1000 });
    const all = told.get(isOn)!;
    all.seconds += (performance.now() - from) / 1000;
    all.updates += updates;
    all.wall.push(...wall);
    all.cpu.push(...cpu);
  }
  for (const [isOn, { wall, cpu, updates, seconds }] of told) {
    const own = `${name}, learner ${isOn ? "replaying" : "idle"}`;
    const goal = (value: number) => (isOn ? { target: 1000, met: value < 1000 } : {});
    rows.push(
      row(own, "recommend_wall_p50_us", median(wall), "us", { n: wall.length }),
      row(own, "recommend_wall_p99_us", p99(wall), "us", { n: wall.length, ...goal(p99(wall)) }),
      row(own, "recommend_cpu_p50_us", median(cpu), "us", { n: cpu.length }),
      row(own, "recommend_cpu_p99_us", p99(cpu), "us", { n: cpu.length, ...goal(p99(cpu)) }),
      row(own, "learner_updates_per_s", updates / seconds, "1/s"),
    );
  }
  const swaps = await host.ask<number[]>({ call: "swaps" });
  rows.push(row(name, "weight_swap_p50_us", median(swaps), "us", { n: swaps.length }));
  rows.push(row(name, "weight_swap_p99_us", p99(swaps), "us", { n: swaps.length }));
  const rollbacks = await rolledBack(host.url);
  const worst = Math.max(...rollbacks);
  const about = { n: rollbacks.length };
  rows.push(row(OVER_HTTP, "rollback_p50_ms", median(rollbacks), "ms", about));
  rows.push(row(OVER_HTTP, "rollback_max_ms", worst, "ms", { ...about, target: 1000, met: worst < 1000 }));
  host.end();
  return rows;
}

const OVER_HTTP = "rollback over HTTP";

/** Milliseconds until a rollback is answered: the model of before answers, and will after a kill. */
async function rolledBack(url: string): Promise<number[]> {
  const post = async (what: string) => {
    const response = await fetch(`${url}/v1/models/${what}`, { method: "POST" });
    if (!response.ok) throw new Error(`${what} was answered ${response.status}: ${await response.text()}`);
  };
  const times: number[] = [];
  for (let i = 0; i < 50; i++) {
    const from = performance.now();
    await post("rollback");
    times.push(performance.now() - from);
    await post("release");
  }
  return times;
}

const PAIRS = 8;

/** Slates over HTTP: as fast as it goes, and at a rate that leaves the server time, learner on and off in turn. */
async function http(): Promise<Row[]> {
  const tool = WRK ? "wrk" : "own generator";
  const name = `HTTP, ${tool}`;
  const [edge, empty] = [await Host.start("edge"), await Host.start("empty")];
  await press(edge.url, 8, 4);
  await press(empty.url, 8, 2);
  const rows: Row[] = [];
  const tell = (what: string, { perSecond, p50, p99: most }: Rate) =>
    rows.push(
      row(`${name}, ${what}`, "requests_per_s", perSecond, "1/s"),
      row(`${name}, ${what}`, "latency_p50_us", p50, "us"),
      row(`${name}, ${what}`, "latency_p99_us", most, "us"),
    );
  tell("8 connections, empty Hono", await press(empty.url, 8, 4));
  await edge.ask({ call: "learn", isOn: false });
  tell("8 connections, learner idle", await press(edge.url, 8, 4));
  await edge.ask({ call: "learn", isOn: true });
  tell("8 connections, learner replaying", await press(edge.url, 8, 4));
  tell("4 connections paced, empty Hono", await press(empty.url, 4, 4, 12));
  const [on, off]: [Rate[], Rate[]] = [[], []];
  for (let i = 0; i < 2 * PAIRS; i++) {
    // The order within a pair changes from pair to pair.
    const isOn = (i % 2 === 0) === (Math.floor(i / 2) % 2 === 0);
    await edge.ask({ call: "learn", isOn });
    (isOn ? on : off).push(await press(edge.url, 4, 3, 12));
  }
  for (const [what, rates] of [
    ["learner idle", off],
    ["learner replaying", on],
  ] as const) {
    const of = (key: keyof Rate) => median(rates.map((rate) => rate[key]));
    tell(`4 connections paced, ${what}`, { perSecond: of("perSecond"), p50: of("p50"), p99: of("p99") });
  }
  const ratios = on.map((rate, i) => rate.p99 / off[i]!.p99).sort((a, b) => a - b);
  const ratio = median(ratios);
  const spread = { lo: ratios[0]!, hi: ratios.at(-1)!, n: PAIRS };
  rows.push(
    row(`${name}, 4 connections paced`, "p99_ratio_replaying_over_idle", ratio, "1", {
      target: 1.5,
      met: ratio <= 1.5,
      ...spread,
    }),
  );
  edge.end();
  empty.end();
  return rows;
}

/** Milliseconds of a write of 4 KiB with its flush, in the folder of the servers. */
function flushMs(): number {
  const file = openSync(join(folder, "flush"), "w");
  const times = Array.from({ length: 200 }, () => {
    const from = performance.now();
    writeSync(file, new Uint8Array(4096));
    fsyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return median(times);
}

/** Events of visits, acknowledged once they are on disk; then how long a server with them takes to begin again. */
async function events(): Promise<Row[]> {
  const [batches, size, inFlight] = [1500, 100, 8];
  const dir = fresh();
  const server = await new Served(["--dir", dir]).start();
  await server.ask("POST", "/v1/events", streams(Date.now()));
  let made = 0;
  const bodies = Array.from({ length: batches }, () =>
    Array.from({ length: size }, () => {
      const i = made++;
      return { kind: "click", time: Date.now(), user: `u${i % 500}`, stream: `s${i % 200}`, id: `e${i}` };
    }),
  );
  const client = new Client(Number(new URL(server.url).port));
  const times: number[] = [];
  const send = async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const from = performance.now();
      const { status, body: told } = await client.ask("POST", "/v1/events", body);
      if (status !== 200 || told.accepted !== size) throw new Error(`${status}: ${JSON.stringify(told)}`);
      times.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: inFlight }, send));
  const perSecond = (1000 * batches * size) / (performance.now() - from);
  client.close();
  const name = `durable events, batches of ${size}, ${inFlight} in flight`;
  const stopping = performance.now();
  await server.stop("SIGTERM");
  const stopped = performance.now();
  const again = await new Served(["--dir", dir]).start();
  const started = performance.now();
  await again.stop("SIGKILL");
  const killed = performance.now();
  await (await new Served(["--dir", dir]).start()).stop("SIGKILL");
  const records = batches * size;
  return [
    row(name, "events_per_s", perSecond, "events/s", { target: 20_000, met: perSecond >= 20_000, n: batches }),
    row(name, "acknowledged_p50_ms", median(times), "ms", { n: batches }),
    row(name, "acknowledged_p99_ms", p99(times), "ms", { n: batches }),
    row(name, "flush_p50_ms", flushMs(), "ms", { n: 200 }),
    row("stop and start", "stop_s", (stopped - stopping) / 1000, "s", { n: records }),
    row("stop and start", "start_from_checkpoint_s", (started - stopped) / 1000, "s", { n: records }),
    row("stop and start", "start_after_kill_s", (performance.now() - killed) / 1000, "s", { n: records }),
  ];
}

/** Share of what it can do at most that a server is rated for: above, queues grow by themselves. */
const RATED = 0.6;
/** How many times that it is asked for; the crowd sets out to ask more often, as it waits for answers. */
const TIMES = 5;
const HASTE = 1.4;

/** Connections of a crowd, each of which pauses between its requests. */
const CROWD = 256;
/** `maxTurnMs` of a server that sends away what is too much. */
const TURN_MS = 10;
/** Requests a second whose latencies are taken. */
const PROBES = 60;

/** A crowd that asks so many times a second: how often it did, and the share that was sent away. */
async function crowd(url: string, rate: number): Promise<{ perSecond: number; refused: number }> {
  if (!WRK) {
    const { taken, refused, seconds } = await load({ url, seconds: 4, connections: CROWD, rate });
    return { perSecond: (taken.length + refused) / seconds, refused: refused / (taken.length + refused) };
  }
  const script = join(folder, "crowd.lua");
  writeFileSync(script, LUA.replace("DELAY", `math.random(0, ${Math.round((2000 * CROWD) / rate)})`));
  const { stdout } = await run("wrk", ["-t1", `-c${CROWD}`, "-d4s", "-s", script, url]);
  const [, count, us, , , errors] = /RESULT (\S+) (\S+) (\S+) (\S+) (\S+)/.exec(stdout)!.map(Number);
  return { perSecond: (count! / us!) * 1e6, refused: errors! / count! };
}

/**
 * A crowd that asks as often as a server is rated for, and one that asks five times as often, in turn; and beside each single
 * requests at fixed times: the latencies of those that were taken.
 */
async function overload(): Promise<Row[]> {
  const able = await Host.start("edge");
  await press(able.url, 8, 4);
  const rated = RATED * (await press(able.url, 8, 4)).perSecond;
  able.end();
  const host = await Host.start("edge", TURN_MS);
  // Until all code is compiled.
  await crowd(host.url, rated);
  const probe = { url: host.url, seconds: 4, connections: 16, rate: PROBES };
  const probed: [LoadResult[], LoadResult[]] = [[], []];
  const sent: [number[], number[]] = [[], []];
  const refused: [number[], number[]] = [[], []];
  for (let i = 0; i < 8; i++) {
    const rate = (i % 2 === 0 ? 1 : HASTE * TIMES) * rated - PROBES;
    const [own, others] = await Promise.all([load(probe), crowd(host.url, rate)]);
    probed[i % 2]!.push(own);
    sent[i % 2]!.push((others.perSecond + PROBES) / rated);
    refused[i % 2]!.push(others.refused);
  }
  host.end();
  const [low, high] = probed.map((results) => results.map(({ taken }) => p99(taken))) as [number[], number[]];
  const ratio = median(low.map((one, i) => high[i]! / one));
  const name = `${TIMES} times the rated load`;
  return [
    row(name, "rated_per_s", rated, "1/s"),
    row(name, "sent_over_rated", median(sent[1]), "1"),
    row(name, "sent_away_share", median(refused[1]), "1"),
    row(name, "sent_over_rated_at_rated", median(sent[0]), "1"),
    row(name, "sent_away_share_at_rated", median(refused[0]), "1"),
    row(name, "accepted_p99_at_rated_us", median(low), "us", { n: 4 }),
    row(name, "accepted_p99_us", median(high), "us", { n: 4 }),
    row(name, "p99_ratio", ratio, "1", { target: 1.5, met: ratio <= 1.5, n: 4 }),
  ];
}

const CASES: Readonly<Record<string, () => Promise<Row[]>>> = { inProcess, http, events, overload };
let isRight = true;
for (const [name, measure] of Object.entries(CASES)) {
  if (only !== undefined && !only.some((text) => name.includes(text))) continue;
  const rows = await measure();
  for (const { case: own, metric, value, unit, target, met } of rows) {
    const verdict = met === undefined ? "" : met ? `ok, goal ${target}` : `MISSED, goal ${target}`;
    process.stderr.write(`${own}: ${metric} ${Number(value.toPrecision(4))} ${unit} ${verdict}\n`);
    if (met === false) isRight = false;
  }
  if (json === undefined) continue;
  const kept: StoredRow[] = existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : [];
  const others = kept.filter((old) => !rows.some((one) => one.case === old.case && one.metric === old.metric));
  writeFileSync(json, `${JSON.stringify([...others, ...stamped(rows)], null, 1)}\n`);
}
process.exit(isRight ? 0 : 1);
