/** Sends requests for slates from a process of its own: a fixed number at a time, or at fixed times, whatever comes back. */
import { Agent, request } from "node:http";

/** What a load is. */
export interface LoadStart {
  url: string;
  seconds: number;
  /** Requests at a time. */
  connections: number;
  /** Requests a second, at times that do not depend on answers; 0: each connection sends on when it is answered. */
  rate: number;
}

/** Latencies of answers with status 200, microseconds, and how many others there were. */
export interface LoadResult {
  taken: number[];
  refused: number;
  failed: number;
  seconds: number;
}

const { url, seconds, connections, rate } = JSON.parse(process.argv[2]!) as LoadStart;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const { port, hostname } = new URL(url);
const result: LoadResult = { taken: [], refused: 0, failed: 0, seconds };
let sent = 0;

function ask(): Promise<void> {
  const from = performance.now();
  const body = JSON.stringify({ user: `u${(sent++ * 7919) % 500}`, k: 6 });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((done) => {
    const asked = request({ hostname, port, agent, method: "POST", path: "/v1/recommend", headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) result.taken.push(1000 * (performance.now() - from));
        else result.refused++;
        done();
      });
    });
    asked.on("error", () => {
      result.failed++;
      done();
    });
    asked.end(body);
  });
}

const begin = performance.now();
const end = begin + 1000 * seconds;
if (rate === 0) {
  const sender = async () => {
    while (performance.now() < end) await ask();
  };
  await Promise.all(Array.from({ length: connections }, sender));
} else {
  const pending = new Set<Promise<void>>();
  for (let due = begin; due < end; ) {
    const now = performance.now();
    for (; due <= now && due < end; due += 1000 / rate) {
      const one: Promise<void> = ask().finally(() => pending.delete(one));
      pending.add(one);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  await Promise.all(pending);
}
result.seconds = (performance.now() - begin) / 1000;
process.stdout.write(JSON.stringify(result));
process.exit(0);
