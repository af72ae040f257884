/** How long a recommender that serves is held up while it is saved, and what saving and loading take. */
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/index.js";
import { MINUTE } from "../../../src/protocol/index.js";
import { Recommender } from "../../../src/recommender/index.js";
import type { Result } from "../../harness/suite.js";
import { waitedMs } from "../../harness/waited.js";
import { liveBytes } from "./memory.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

/** Users, and decisions that wait for their feedback. */
export interface Saved {
  readonly users: number;
  readonly pending: number;
}

export const SAVES: readonly Saved[] = [
  { users: 1000, pending: 1000 },
  { users: 10_000, pending: 10_000 },
  { users: 1000, pending: 50_000 },
];

const STREAMS = 300;
/** Visits of each user. */
const VISITS = 10;
/** Streams of a slate. */
const SLATE = 10;
/** Updates that the agent has done. */
const UPDATES = 10;
/** Points of a save at which memory is taken: it takes collections of all garbage. */
const SAMPLES = 8;

/** A recommender with its users and decisions, and what brings it the next request with its feedback. */
function grown({ users, pending }: Saved, say: (text: string) => void) {
  const random = Random.named(1, "saving");
  const recommender = new Recommender({ trainEvery: 0, profile: { users: Math.max(users, pending) } });
  let time = 0;
  for (let i = 0; i < STREAMS; i++) {
    const tags = [`t${random.below(50)}`, `t${random.below(50)}`];
    const about = { stream: `stream-${i}`, streamer: `r${i}`, category: `c${random.below(20)}` };
    recommender.feedback({ kind: "on_air", time: time++, ...about, tags, title: "Part two" });
  }
  const stream = () => `stream-${Math.floor(STREAMS * random.uniform() * random.uniform())}`;
  for (let visit = 0; visit < VISITS; visit++) {
    for (let i = 0; i < users; i++) {
      const seen = { user: `user-${i}`, stream: stream() };
      recommender.feedback({ kind: "click", time: ++time, ...seen });
      recommender.feedback({ kind: "watch", time, ...seen, watchMs: lognormal(random, 2 * MINUTE, 1.5) });
    }
    say(`${visit + 1} of ${VISITS} visits of ${users} users`);
  }
  const ask = (user: number) => {
    const decision = recommender.recommend({ user: `user-${user}`, now: ++time, k: SLATE });
    const about = { user: decision.user, stream: decision.slate[0]!, decision: decision.id };
    recommender.feedback({ kind: "click", time, ...about });
    recommender.feedback({ kind: "watch", time, ...about, watchMs: 1000 });
  };
  // Half of them once more, so that decisions became transitions.
  for (let i = 0; i < pending * 1.5; i++) {
    ask(i % pending);
    if (i % 1000 === 0) say(`${i} of ${pending * 1.5} decisions`);
  }
  recommender.learn(UPDATES);
  return { recommender, next: () => ask(random.below(users)) };
}

/** A save in chunks, with a request between each two; `between` gets the number of the step. */
function chunked({ recommender, next }: ReturnType<typeof grown>, between: (step: number) => void) {
  const longest = { wall: 0, own: 0, bytes: 0 };
  let [wall, waited] = [performance.now(), waitedMs()];
  const took = () => {
    const pause = performance.now() - wall;
    longest.wall = Math.max(longest.wall, pause);
    longest.own = Math.max(longest.own, pause - (waitedMs() - waited));
    return pause;
  };
  const chunks = recommender.saveChunks();
  const start = took();
  let [bytes, seconds, steps] = [0, start, 0];
  for (;;) {
    [waited, wall] = [waitedMs(), performance.now()];
    const { done, value } = chunks.next();
    seconds += took();
    if (done) break;
    bytes += value.byteLength;
    longest.bytes = Math.max(longest.bytes, value.byteLength);
    between(++steps);
    next();
  }
  return { longest, start, bytes, steps, milliseconds: seconds };
}

async function repetition(made: ReturnType<typeof grown>): Promise<{ rows: Measured[]; fixed: Measured[] }> {
  const { longest, start, bytes, milliseconds, steps } = chunked(made, () => {});
  const before = liveBytes();
  let peak = 0;
  const every = Math.max(1, Math.floor(steps / SAMPLES));
  chunked(made, (step) => {
    if (step % every === 0) peak = Math.max(peak, liveBytes() - before);
  });
  const saving = performance.now();
  const file = made.recommender.save();
  const whole = performance.now() - saving;
  const loading = performance.now();
  (await Recommender.loadChunks([file])).dispose();
  const loaded = performance.now() - loading;
  const us = (ms: number) => ms * 1000;
  return {
    rows: [
      ["start_us", us(start), "us"],
      ["pause_max_us", us(longest.wall), "us"],
      ["pause_own_max_us", us(longest.own), "us"],
      ["chunks_us", us(milliseconds), "us"],
      ["save_us", us(whole), "us"],
      ["load_us", us(loaded), "us"],
      ["held_bytes", peak, "B"],
    ],
    fixed: [
      ["file_bytes", bytes, "B"],
      ["chunk_max_bytes", longest.bytes, "B"],
    ],
  };
}

/**
 * Saves and loads a recommender that answers a request between each two chunks. `held_bytes`: most memory, without
 * garbage, that a save holds beside the recommender. `pause_own_max_us`: without the time in which the thread waited for a core.
 */
export async function measureSaving(saved: Saved, say: (text: string) => void, repeats = REPEATS): Promise<Result[]> {
  const name = nameOf(saved);
  const made = grown(saved, say);
  // Once before, so that all code is compiled.
  let { fixed: figures } = await repetition(made);
  const all: Measured[][] = [];
  while (all.length < repeats) {
    const { rows, fixed } = await repetition(made);
    all.push(rows);
    figures = fixed;
    say(`round ${all.length} of ${repeats}`);
  }
  made.recommender.dispose();
  const fixed = figures.map(([metric, value, unit]) => ({ case: name, isExact: true, metric, value, unit }));
  return [...fixed, ...repeatedRows(name, all)];
}

export function nameOf({ users, pending }: Saved): string {
  return `save/${users}-users-${pending}-decisions`;
}
