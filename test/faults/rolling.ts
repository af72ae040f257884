import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { LiveEvent } from "../../src/protocol/index.js";
import { Client, Served } from "../support/served.js";
import { type FaultCase, progress } from "./case.js";

/** Clients at a time. */
const CLIENTS = 8;

/** A bound socket in this process that nothing accepts from: what systemd keeps for a service. */
function boundSocket(): { fd: number; port: number; close(): void } {
  // Not public: every public way to listen also accepts.
  const binding = (process as unknown as { binding(name: string): TcpBinding }).binding("tcp_wrap");
  const handle = new binding.TCP(binding.constants.SERVER);
  // Its first server listens on it; this process must not, or it would accept.
  const failed = handle.bind("127.0.0.1", 0);
  const name: { port?: number } = {};
  if (failed || handle.getsockname(name)) throw new Error("no socket could be bound");
  return { fd: handle.fd, port: name.port!, close: () => handle.close() };
}

interface TcpBinding {
  TCP: new (
    type: number,
  ) => {
    fd: number;
    bind(address: string, port: number): number;
    getsockname(into: object): number;
    close(): void;
  };
  constants: { SERVER: number };
}

interface Tally {
  requests: number;
  acknowledged: LiveEvent[];
  slowestMs: number;
  isOver: boolean;
}

/** Requests and feedback on connections that stay; each must be answered. @throws Error for one that is not. */
async function visit(port: number, name: string, tally: Tally): Promise<void> {
  const client = new Client(port);
  const ask = async (path: string, body: unknown) => {
    const from = performance.now();
    const answer = await client.ask("POST", path, body);
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - from);
    tally.requests++;
    if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`);
    return answer.body;
  };
  try {
    for (let i = 0; !tally.isOver; i++) {
      const { id, user, slate } = await ask("/v1/recommend", { user: `${name}-${i % 5}`, k: 1 });
      const about = { user, stream: slate[0], decision: id, id: `${name}-${i}` };
      const click: LiveEvent = { kind: "click", time: Date.now(), ...about };
      const { accepted } = await ask("/v1/events", [click]);
      if (accepted !== 1) throw new Error(`${name}-${i} was not taken`);
      tally.acknowledged.push(click);
    }
  } finally {
    client.close();
  }
}

export const ROLLING: FaultCase = {
  ...{ name: "rolling restart", unit: "restarts", full: 200, few: 3, part: 50 },
  async run(count, _seed, tell) {
    mkdirSync(".build", { recursive: true });
    const folder = mkdtempSync(resolve(".build", "rolling-"));
    const step = progress(tell, "restarts", count);
    const socket = boundSocket();
    const words = ["--dir", folder, "--wait-ms", "30000"];
    const start = () => new Served(words, { socket: socket.fd });
    let server = await start().start();
    await server.ask("PUT", "/v1/streams/s1", { streamer: "r", category: "c" });
    const tally: Tally = { requests: 0, acknowledged: [], slowestMs: 0, isOver: false };
    const visits = Array.from({ length: CLIENTS }, (_, i) => visit(socket.port, `c${i}`, tally));
    let failure: unknown;
    const all = Promise.all(visits).catch((error) => {
      failure = error;
      tally.isOver = true;
    });
    try {
      for (let i = 1; i <= count && failure === undefined; i++) {
        // The next one waits for the folder while this one ends: no process has to begin in between.
        const next = start();
        const code = await server.stop("SIGTERM");
        if (code !== 0) throw new Error(`a server ended with ${code}: ${server.told}`);
        server = await next.start();
        await new Promise((done) => setTimeout(done, 200));
        step(i);
      }
      tally.isOver = true;
      await all;
      if (failure !== undefined) throw failure;
      for (let at = 0; at < tally.acknowledged.length; at += 5000) {
        const again = tally.acknowledged.slice(at, at + 5000);
        const { body } = await server.ask("POST", "/v1/events", again);
        if (body.duplicates !== again.length) throw new Error(`lost: ${JSON.stringify(body).slice(0, 300)}`);
      }
    } finally {
      tally.isOver = true;
      await server.stop("SIGKILL");
      socket.close();
      rmSync(folder, { recursive: true, force: true });
    }
    return [
      { metric: "requests", value: tally.requests, unit: "requests" },
      { metric: "requests_failed", value: 0, unit: "requests", most: 0 },
      { metric: "acknowledged_events_lost", value: 0, unit: "events", most: 0 },
      { metric: "slowest_request_ms", value: Math.round(tally.slowestMs), unit: "ms", merge: "max" },
    ];
  },
};
