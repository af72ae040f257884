import { lognormal } from "../../../src/numeric/distributions.js";
/** Speed from the bytes of a log to feature rows, and memory of users and streams. */

import { RandomPolicy } from "../../../src/baselines/index.js";
import { cleanEvents, readJsonl, toJsonl } from "../../../src/logs/index.js";
import { Random } from "../../../src/numeric/index.js";
import { MINUTE } from "../../../src/protocol/index.js";
import { type LiveEvent, parseEvent, type QFunction, Recommender } from "../../../src/recommender/index.js";
import { simulatedEvents } from "../../../src/simulator/index.js";
import type { Result } from "../../harness/suite.js";
import { liveBytes } from "./memory.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

/** Some million events. */
const LOG = { viewers: 4000, streamers: 2000, days: 4, seed: 1 };

/** An agent that values and learns nothing: the rest is the recommender's own work. */
const IDLE: QFunction = {
  steps: 0,
  updates: 1e9,
  observe() {},
  learn: () => Number.NaN,
  evaluate: () => new Float32Array(1),
  save: () => new Uint8Array(),
  dispose() {},
};

/** A simulated log as JSON lines, in pieces. */
export async function loggedPieces(world: typeof LOG = LOG): Promise<Uint8Array[]> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  for await (const text of toJsonl(simulatedEvents(new RandomPolicy(1), world))) pieces.push(encoder.encode(text));
  return pieces;
}

/** A pass over events: its seconds, and how many there were. */
async function pass(
  events: AsyncIterable<LiveEvent>,
  take: (event: LiveEvent) => void,
): Promise<{ seconds: number; events: number }> {
  const from = performance.now();
  let n = 0;
  for await (const event of events) {
    take(event);
    n++;
  }
  return { seconds: (performance.now() - from) / 1000, events: n };
}

/** Takes every event as a recommender in service does, and writes the state and the stream's row at every click. */
function featuriser(): (event: LiveEvent) => void {
  const recommender = new Recommender({ trainEvery: 0, maxCandidates: 1 }, IDLE);
  return (event) => {
    if (event.kind === "click") {
      const { user, time: now, stream } = event;
      recommender.rank({ user, now, k: 1, candidates: [stream] });
    }
    recommender.feedback(event);
  };
}

/** Events a second on one core: read from JSON lines and checked; cleaned as well; and turned into feature rows. */
export async function measurePipeline(say: (text: string) => void): Promise<Result[]> {
  const pieces = await loggedPieces();
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  say(`a log of ${(bytes / 1e6).toFixed(0)} MB`);
  const ignore = () => {};
  const stages: Readonly<Record<string, () => Promise<{ seconds: number; events: number }>>> = {
    read: () => pass(readJsonl(pieces), ignore),
    read_clean: () => pass(cleanEvents(readJsonl(pieces)), ignore),
    read_clean_features: () => pass(cleanEvents(readJsonl(pieces)), featuriser()),
  };
  const repeats: Measured[][] = [];
  let events = 0;
  while (repeats.length < REPEATS) {
    const rates: Measured[] = [];
    for (const [name, stage] of Object.entries(stages)) {
      const { seconds, events: n } = await stage();
      rates.push([`${name}_per_second`, n / seconds, "events/s"]);
      events = n;
    }
    repeats.push(rates);
    say(`round ${repeats.length} of ${REPEATS}`);
  }
  const common = { case: "pipeline/jsonl", isExact: true };
  return [
    { ...common, metric: "events", value: events, unit: "events" },
    { ...common, metric: "bytes_per_event", value: bytes / events, unit: "B" },
    ...repeatedRows("pipeline/jsonl", repeats),
  ];
}

const USERS = 100_000;
const STREAMS = 10_000;
/** Visits of each user, of streamers as popular as those of a live platform. */
const VISITS = 10;
const CATEGORIES = 200;
const MEMORY_SEEDS = [1, 2, 3];

/** Bytes that a recommender holds, of the events of one seed. */
function memoryOf(seed: number, say: (text: string) => void): Measured[] {
  const random = Random.named(seed, "memory");
  const before = liveBytes();
  const recommender = new Recommender({ trainEvery: 0, profile: { users: USERS } }, IDLE);
  const feedback = (event: object) => recommender.feedback(parseEvent(event));
  for (let i = 0; i < STREAMS; i++) {
    const category = `c${Math.floor(CATEGORIES * random.uniform() * random.uniform())}`;
    const tags = [`t${random.below(500)}`, `t${random.below(500)}`];
    feedback({ kind: "on_air", time: i, stream: `stream-${i}`, streamer: `r${i}`, category, tags, title: "Part two" });
  }
  const streams = liveBytes();
  let time = STREAMS;
  for (let visit = 0; visit < VISITS; visit++) {
    for (let i = 0; i < USERS; i++) {
      const seen = { user: `user-${i}`, stream: `stream-${Math.floor(STREAMS * random.uniform() * random.uniform())}` };
      time += 1;
      feedback({ kind: "click", time, ...seen });
      feedback({ kind: "watch", time, ...seen, watchMs: lognormal(random, 2 * MINUTE, 1.5) });
    }
    say(`seed ${seed}: ${visit + 1} of ${VISITS} visits`);
  }
  const after = liveBytes();
  recommender.dispose();
  return [
    ["total_bytes", after - before, "B"],
    ["bytes_per_user", (after - streams) / USERS, "B"],
    ["bytes_per_stream", (streams - before) / STREAMS, "B"],
  ];
}

/** Bytes that the recommender holds for 100,000 users of ten visits each, and 10,000 streams on air. */
export function measureMemory(say: (text: string) => void): Result[] {
  const repeats = MEMORY_SEEDS.map((seed) => memoryOf(seed, say));
  return repeatedRows("memory/100000-users-10000-streams", repeats);
}
