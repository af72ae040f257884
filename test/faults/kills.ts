import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { decodeRecord } from "../../src/server/edge/log/records.js";
import { applyRecord, openReplica, type Replica, replicaChunks } from "../../src/server/edge/replica.js";
import { beginning } from "../../src/server/index.js";
import { openLog, SqliteStore } from "../../src/storage/index.js";
import { learnerHash } from "../support/learned.js";
import { type Answer, Served } from "../support/served.js";
import { type FaultCase, type Figure, progress } from "./case.js";

const SEED = 5;
/** Few, so that kills meet a learner that saves itself and a log that is trimmed. */
const CHECKPOINT_EVERY = 120;
/** Clients at a time. */
const CLIENTS = 3;

/** Learns what the log of a folder holds, and is never interrupted. */
class Uninterrupted {
  readonly #replica: Replica;
  #next = 0;
  /** How often each event was taken, by its id. */
  readonly taken = new Map<string, number>();

  constructor() {
    this.#replica = openReplica(beginning(undefined, { seed: SEED }).file, undefined, false);
  }

  /** Goes on to the end of the log. */
  async follow(dir: string): Promise<void> {
    const log = openLog(await SqliteStore.open(dir));
    try {
      for await (const { sequence, bytes } of log.read(this.#next)) {
        const record = decodeRecord(bytes);
        this.#next = sequence + 1;
        const receipt = applyRecord(this.#replica, record);
        if (record.type === "event" && receipt === "taken") {
          const { id = "" } = record.event as { id?: string };
          this.taken.set(id, (this.taken.get(id) ?? 0) + 1);
        }
      }
    } finally {
      await log.close();
    }
  }

  hash(): string {
    const digest = createHash("sha256");
    for (const chunk of replicaChunks(this.#replica)) digest.update(chunk);
    return `${this.#next} ${digest.digest("hex")}`;
  }

  close(): void {
    this.#replica.recommender.dispose();
    this.#replica.ranker.dispose();
  }
}

/** When a server is killed. */
type Moment = "load" | "start" | "stop";

interface Told {
  acknowledged: LiveEvent[];
  decisions: Set<string>;
  sent: number;
}

/** Requests and their feedback, until the server is gone. */
async function load(server: Served, told: Told, random: Random): Promise<void> {
  const must = ({ status, body }: Answer) => {
    if (status !== 200) throw new Error(`a server under load answered ${status}: ${JSON.stringify(body)}`);
  };
  for (;;) {
    const chosen = await server.ask("POST", "/v1/recommend", { user: `u${random.below(9)}`, k: 2 });
    must(chosen);
    const { id, user, slate } = chosen.body;
    if (told.decisions.has(id)) throw new Error(`the decision ${id} came twice`);
    told.decisions.add(id);
    const events = slate.map((stream: string): LiveEvent => {
      const about = { user, stream, decision: id, id: `e${told.sent++}` };
      return { kind: "click", time: Date.now(), ...about };
    });
    const answer = await server.ask("POST", "/v1/events", events);
    must(answer);
    if (answer.body.accepted !== events.length) throw new Error(`not taken: ${JSON.stringify(answer.body)}`);
    told.acknowledged.push(...events);
  }
}

/** A life that ends by a kill. */
async function live(dir: string, told: Told, random: Random, moment: Moment, since: number): Promise<number> {
  const words = [
    "--dir",
    dir,
    "--seed",
    String(SEED),
    "--checkpoint-every",
    String(CHECKPOINT_EVERY),
    "--linger-ms",
    "0",
  ];
  const server = new Served(words);
  if (moment === "start") {
    await new Promise((done) => setTimeout(done, random.below(900)));
    await server.stop("SIGKILL");
    return since;
  }
  await server.start();
  for (let i = 0; i < 4; i++) await server.ask("PUT", `/v1/streams/s${i}`, { streamer: `r${i}`, category: "c" });
  // What the life before acknowledged is known, over the kill.
  const again = told.acknowledged.slice(since);
  if (again.length > 0) {
    const { body } = await server.ask("POST", "/v1/events", again);
    if (body.accepted !== 0 || body.duplicates !== again.length) {
      throw new Error(`acknowledged events were lost: ${JSON.stringify(body).slice(0, 300)}`);
    }
  }
  const next = told.acknowledged.length;
  const work = Promise.allSettled(Array.from({ length: CLIENTS }, () => load(server, told, random)));
  await new Promise((done) => setTimeout(done, 20 + random.below(300)));
  if (moment === "stop") {
    server.child.kill("SIGTERM");
    await new Promise((done) => setTimeout(done, random.below(120)));
  }
  await server.stop("SIGKILL");
  for (const result of await work) {
    // A connection that breaks is a TypeError of fetch; an answer that is cut off a SyntaxError.
    const { reason } = result as PromiseRejectedResult;
    const isBroken = reason instanceof TypeError || reason instanceof SyntaxError;
    if (!isBroken && !(moment === "stop" && /answered 503/.test(reason.message))) throw reason;
  }
  return next;
}

/** Lives of one folder. */
async function series(dir: string, kills: number, seed: number, done: () => void): Promise<Told> {
  const random = new Random(seed);
  const told: Told = { acknowledged: [], decisions: new Set(), sent: 0 };
  const twin = new Uninterrupted();
  let since = 0;
  for (let life = 0; life < kills; life++) {
    const which = life === 0 ? 9 : random.below(10);
    since = await live(dir, told, random, which === 0 ? "start" : which < 3 ? "stop" : "load", since);
    await twin.follow(dir);
    done();
  }
  for (const { id } of told.acknowledged as { id: string }[]) {
    const count = twin.taken.get(id);
    if (count !== 1) throw new Error(`the acknowledged event ${id} was learned ${count ?? 0} times`);
  }
  for (const [id, count] of twin.taken)
    if (id !== "" && count !== 1) throw new Error(`${id} was learned ${count} times`);
  const [own, other] = [await learnerHash(dir, SEED), twin.hash()];
  if (own !== other) throw new Error(`the learner is another than one that was never interrupted: ${own}, ${other}`);
  twin.close();
  return told;
}

export const KILLS: FaultCase = {
  ...{ name: "kill -9", unit: "kills", full: 1000, few: 4, part: 25 },
  async run(count, seed, tell) {
    mkdirSync(".build", { recursive: true });
    const folder = mkdtempSync(resolve(".build", "kills-"));
    const step = progress(tell, "kills", count);
    let done = 0;
    const told = await series(folder, count, seed, () => step(++done)).finally(() =>
      rmSync(folder, { recursive: true, force: true }),
    );
    return [
      { metric: "acknowledged_events", value: told.acknowledged.length, unit: "events" },
      { metric: "decisions", value: told.decisions.size, unit: "decisions" },
      { metric: "events_lost", value: 0, unit: "events", most: 0 },
      { metric: "events_learned_twice", value: 0, unit: "events", most: 0 },
      { metric: "learners_that_differ", value: 0, unit: "learners", most: 0 },
    ] satisfies Figure[];
  },
};
