/** The server of the example `serving`, as its users run it: real requests, kills, and a stop. */
import { once } from "node:events";
import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Running, start } from "../runtimes/execute.js";
import type { Runtime } from "../runtimes/install.js";
import type { Installed } from "./tarball.js";

// biome-ignore lint/suspicious/noExplicitAny: the answer of any route
type Json = any;

/** The program in a runtime, until it is stopped. */
class Serving {
  readonly #running: Running;
  #url = "";

  private constructor(running: Running) {
    this.#running = running;
  }

  /** @throws Error where it ends before it listens. */
  static async start(runtime: Runtime, script: string, folder: string): Promise<Serving> {
    const own = runtime.name === "deno" ? ["run", "--allow-all"] : [];
    const serving = new Serving(start(runtime, [...own, script, join(folder, "data")], folder));
    let out = "";
    const { child, ended } = serving.#running;
    const early = ended.then((): never => {
      throw new Error("it ended before it listened");
    });
    early.catch(() => {});
    while (!out.includes("\n")) {
      const [piece] = (await Promise.race([once(child.stdout!, "data"), early])) as [string];
      out += piece;
    }
    serving.#url = out.trim();
    return serving;
  }

  /** @throws Error for an answer that is none of 200. */
  async ask(method: string, path: string, body?: object): Promise<Json> {
    const init: RequestInit = { method, headers: { "content-type": "application/json" } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.#url}${path}`, init);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  stop(signal: NodeJS.Signals): Promise<void> {
    return this.#running.stop(signal);
  }
}

function must(holds: boolean, what: string, was: unknown): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(was)}`);
}

/** Slates, events and rewards; all is there after a kill, and after a stop. */
export async function checkServing({ app, folder }: Installed, runtime: Runtime): Promise<string> {
  const script = join(app, "node_modules/liveq/dist/examples/serving.js");
  const own = mkdtempSync(join(folder, `${runtime.name}-`));
  let server = await Serving.start(runtime, script, own);
  try {
    for (const stream of ["s1", "s2", "s3"]) {
      await server.ask("PUT", `/v1/streams/${stream}`, { streamer: `of ${stream}`, category: "chess" });
    }
    const decision = await server.ask("POST", "/v1/recommend", { user: "u1", k: 2 });
    must(decision.slate.length === 2, "the slate", decision);
    const time = Date.now();
    const events = decision.slate.map((stream: string, i: number) => {
      return { kind: "click", id: `e${i}`, time, user: "u1", stream, decision: decision.id };
    });
    const taken = await server.ask("POST", "/v1/events", events);
    must(taken.accepted === 2, "the events", taken);
    const { eventId } = await server.ask("POST", "/v1/rank", { eventId: "r1", actions: [{ id: "a" }, { id: "b" }] });
    must(
      (await server.ask("POST", `/v1/events/${eventId}/reward`, { value: 1 })).answer === "taken",
      "reward",
      eventId,
    );
    // The binding of SQLite is told by nothing, but a database is there.
    must(readdirSync(join(own, "data")).includes("log.db"), "the folder", readdirSync(join(own, "data")));
    for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
      await server.stop(signal);
      server = await Serving.start(runtime, script, own);
      const stats = await server.ask("GET", "/v1/stats");
      must(stats.recommender.onAir === 3 && stats.recommender.users === 1, "what is known", stats);
      const again = await server.ask("POST", "/v1/events", events);
      must(again.accepted === 0 && again.duplicates === 2, "the same events again", again);
      const reward = await server.ask("POST", "/v1/events/r1/reward", { value: 1 });
      must(reward.answer === "duplicate", "the same reward again", reward);
    }
    must(readdirSync(join(own, "data/checkpoints")).length > 0, "checkpoints", readdirSync(join(own, "data")));
  } finally {
    await server.stop("SIGKILL");
  }
  return "slates, events and rewards over HTTP; all there after two kills and a stop";
}
