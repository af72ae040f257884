/** What users cost: bytes of memory, and time of events and requests, at several numbers of users. */
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { AtomicFile } from "../../../src/node/file.js";
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/index.js";
import { MINUTE } from "../../../src/protocol/index.js";
import { type QFunction, Recommender } from "../../../src/recommender/index.js";
import type { Result } from "../../harness/suite.js";
import { waitedMs } from "../../harness/waited.js";
import { liveBytes } from "./memory.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

/** A number of users, and whether all their tables are full; else each has made ten visits. */
export interface Population {
  readonly users: number;
  readonly isFull: boolean;
}

export const POPULATIONS: readonly Population[] = [
  { users: 1000, isFull: false },
  { users: 10_000, isFull: false },
  { users: 100_000, isFull: false },
  { users: 1_000_000, isFull: false },
  { users: 10_000, isFull: true },
];

/** Users of the population beside which times are given. */
const FEW = 1000;
const STREAMS = 300;
const VISITS = 10;
/** Visits, friends and follows that fill all tables of a user. */
const FULL = 140;
/** Visits, and requests, that are timed in a round. */
const TIMED = 1000;
const REQUESTS = 100;

/** An agent that values and learns nothing: what is measured is the recommender's own. */
const IDLE: QFunction = {
  steps: 0,
  updates: 1e9,
  observe() {},
  learn: () => Number.NaN,
  evaluate: () => new Float32Array(512),
  save: () => new Uint8Array(),
  dispose() {},
};

class Crowd {
  readonly recommender: Recommender;
  readonly users: number;
  readonly #random: Random;
  #time = 0;

  constructor({ users, isFull }: Population, say: (text: string) => void) {
    this.users = users;
    this.#random = Random.named(1, "users");
    this.recommender = new Recommender({ trainEvery: 0, profile: { users: Math.max(users, 50_000) } }, IDLE);
    for (let i = 0; i < STREAMS; i++) {
      const about = { stream: `stream-${i}`, streamer: `streamer-${i}`, category: `category-${i % 100}` };
      const tags = [`tag-${i % 200}`, `tag-${(7 * i) % 200}`];
      this.recommender.feedback({ kind: "on_air", time: this.#time++, ...about, tags, title: `Part ${i}` });
    }
    for (let visit = 0; visit < (isFull ? 1 : VISITS); visit++) {
      for (let i = 0; i < users; i++) {
        if (isFull) this.#fill(i);
        else this.visit(i);
      }
      say(`visit ${visit + 1} of ${users} users`);
    }
  }

  /** A click and a watch. Returns the number of events. */
  visit(user: number): number {
    const about = { user: `user-${user}`, stream: this.#stream() };
    this.#time += 1;
    this.recommender.feedback({ kind: "click", time: this.#time, ...about });
    const watchMs = Math.round(lognormal(this.#random, 2 * MINUTE, 1.5));
    this.recommender.feedback({ kind: "watch", time: this.#time, ...about, watchMs });
    return 2;
  }

  request(user: number): void {
    this.recommender.rank({ user: `user-${user}`, now: this.#time, k: 6 });
  }

  /** Microseconds an event, and a request, of users drawn at random. */
  timed(): { event: number; request: number } {
    const draw = () => this.#random.below(this.users);
    let events = 0;
    const from = performance.now();
    for (let i = 0; i < TIMED; i++) events += this.visit(draw());
    const middle = performance.now();
    for (let i = 0; i < REQUESTS; i++) this.request(draw());
    return { event: (1000 * (middle - from)) / events, request: (1000 * (performance.now() - middle)) / REQUESTS };
  }

  #stream(): string {
    return `stream-${Math.floor(STREAMS * this.#random.uniform() * this.#random.uniform())}`;
  }

  #fill(i: number): void {
    const user = `user-${i}`;
    const { recommender } = this;
    this.#time += 1000;
    const traits = { age: 30, gender: "f", region: "eu", language: "en", device: "tv" };
    recommender.feedback({ kind: "user", time: this.#time, user, ...traits });
    recommender.feedback({ kind: "page_view", time: this.#time, user, dwellMs: 7000 });
    for (let j = 0; j < STREAMS; j++) {
      const stream = `stream-${(13 * j + i) % STREAMS}`;
      recommender.feedback({ kind: "impression", time: this.#time, user, stream, position: j });
    }
    for (let j = 0; j < FULL; j++) {
      const about = { time: (this.#time += 5 * MINUTE), user, stream: `stream-${(17 * j + i) % STREAMS}` };
      recommender.feedback({ kind: "click", ...about });
      recommender.feedback({ kind: "watch", ...about, time: about.time + 3 * MINUTE, watchMs: 2 * MINUTE + 77 * j });
      recommender.feedback({ kind: "follow", ...about });
      recommender.feedback({ kind: "friend", time: about.time, user, friend: `user-${(i + j + 1) % this.users}` });
      recommender.feedback({ kind: "rating", ...about, rating: 0.7 });
    }
  }
}

/**
 * A save in chunks: bytes, time and the longest step, also without the time in which this thread waited for a core; and the
 * bytes that it holds beside the recommender.
 */
async function saved(recommender: Recommender, path: string): Promise<Measured[]> {
  const before = liveBytes();
  const file = new AtomicFile(path);
  const chunks = recommender.saveChunks();
  let [bytes, total, longest, ownLongest, peak] = [0, 0, 0, 0, 0];
  for (let step = 0; ; step++) {
    const waited = waitedMs();
    const from = performance.now();
    const { done, value } = chunks.next();
    const took = performance.now() - from;
    total += took;
    longest = Math.max(longest, took);
    ownLongest = Math.max(ownLongest, took - (waitedMs() - waited));
    if (done) break;
    file.write(value);
    bytes += value.byteLength;
    if (step % 1000 === 500) peak = Math.max(peak, liveBytes() - before);
    // As a server that goes on with its requests.
    await setImmediate();
  }
  file.commit();
  return [
    ["file_bytes", bytes, "B"],
    ["save_us", 1000 * total, "us"],
    ["pause_max_us", 1000 * longest, "us"],
    ["pause_own_max_us", 1000 * ownLongest, "us"],
    ["held_bytes", peak, "B"],
  ];
}

/** A load from the file: its time, and most bytes in use during it, garbage too, beside what is loaded. */
async function loaded(path: string): Promise<Measured[]> {
  const before = liveBytes();
  let peak = 0;
  async function* chunks() {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      yield chunk as Uint8Array;
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      peak = Math.max(peak, heapUsed + arrayBuffers - before);
    }
  }
  const from = performance.now();
  const recommender = await Recommender.loadChunks(chunks(), { loadAgent: () => IDLE });
  const took = performance.now() - from;
  const own = liveBytes() - before;
  recommender.dispose();
  return [
    ["load_us", 1000 * took, "us"],
    ["load_peak_bytes", Math.max(0, peak - own), "B"],
  ];
}

export function populationName({ users, isFull }: Population): string {
  return `memory/${users}-users${isFull ? "-full" : ""}`;
}

/**
 * Bytes a user without garbage; microseconds an event and a request, and their ratios to a thousand users of ten visits in
 * the same rounds; one save in chunks to a file, and a load from it. Bytes are right only with `--expose-gc`. Bytes, the save
 * and the load are of one repetition.
 */
export async function measureUsers(population: Population, say: (text: string) => void): Promise<Result[]> {
  const name = populationName(population);
  const few = new Crowd({ users: FEW, isFull: false }, say);
  const before = liveBytes();
  const many = new Crowd(population, say);
  const bytes = (liveBytes() - before) / population.users;
  const repeats: Measured[][] = [];
  few.timed();
  many.timed();
  while (repeats.length < REPEATS) {
    const [base, own] = [few.timed(), many.timed()];
    repeats.push([
      ["event_us", own.event, "us"],
      ["request_us", own.request, "us"],
      ["event_ratio", own.event / base.event, "1"],
      ["request_ratio", own.request / base.request, "1"],
    ]);
  }
  const folder = mkdtempSync(join(tmpdir(), "liveq-users-"));
  const path = join(folder, "users.liveq");
  const once: Measured[] = [["bytes_per_user", bytes, "B"]];
  try {
    once.push(...(await saved(many.recommender, path)), ...(await loaded(path)));
  } finally {
    rmSync(folder, { recursive: true });
  }
  few.recommender.dispose();
  many.recommender.dispose();
  return [
    ...once.map(([metric, value, unit]) => ({ case: name, isExact: true, metric, value, unit })),
    ...repeatedRows(name, repeats),
  ];
}
