/** Traffic for servers that are measured: streams, and what a learner is told of many visits. */
import { Random } from "../../src/numeric/index.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { beginning, Edge, type Learned, type LearnerPort } from "../../src/server/index.js";
import { MemoryStore, openLog } from "../../src/storage/index.js";

const [STREAMS, USERS, CATEGORIES, LANGUAGES] = [200, 500, 20, 5];

/** 200 streams going on air. */
export function streams(time: number): LiveEvent[] {
  const random = Random.named(1, "bench");
  return Array.from({ length: STREAMS }, (_, i): LiveEvent => {
    const [category, language] = [`c${random.below(CATEGORIES)}`, `l${random.below(LANGUAGES)}`];
    const tags = [`t${random.below(50)}`, `t${random.below(50)}`];
    const title = `What I do today, part ${i}`;
    return { kind: "on_air", time, stream: `s${i}`, streamer: `r${i}`, category, tags, title, language };
  });
}

/** One visit after the other: a slate, and clicks and watches of one of its streams. */
export class Visitors {
  readonly #random = Random.named(2, "bench");

  user(): string {
    return `u${this.#random.below(USERS)}`;
  }

  /** What a visit tells that begins at `time`, and how long it takes: a watch is told once it is over. */
  feedback(
    time: number,
    user: string,
    slate: readonly string[],
    decision: string,
  ): { watchMs: number; told: LiveEvent[] } {
    const about = { user, stream: slate[this.#random.below(slate.length)]!, decision };
    const watchMs = 1000 * (1 + this.#random.below(60));
    return {
      watchMs,
      told: [
        { kind: "click", time, ...about },
        { kind: "watch", time: time + watchMs, watchMs, ...about },
      ],
    };
  }
}

/** Milliseconds from the end of a visit to the next one. */
export const PAUSE_MS = 5000;

/** What the log of so many visits holds, in order. */
export async function recorded(visits: number): Promise<Uint8Array[]> {
  const records: Uint8Array[] = [];
  let time = 1.7e12;
  const { file, sequence } = beginning(undefined, { seed: 1 });
  // Nobody learns here.
  const told = async (first: number, given: readonly Uint8Array[]): Promise<Learned> => {
    records.push(...given);
    return { next: first + given.length };
  };
  const nothing = async () => ({ next: records.length });
  const learner: LearnerPort = { take: told, save: nothing, file: async () => file, close: async () => {} };
  const edge = await Edge.open({ log: openLog(new MemoryStore()), learner, file, sequence, now: () => time });
  await edge.feed(streams(time));
  const visitors = new Visitors();
  for (let i = 0; i < visits; i++) {
    const user = visitors.user();
    const { id, slate } = edge.recommend({ user, k: 6 });
    const { watchMs, told } = visitors.feedback(time, user, slate, id);
    time += watchMs;
    await edge.feed(told);
    time += PAUSE_MS;
  }
  await edge.settled();
  await edge.close();
  return records;
}
