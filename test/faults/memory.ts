import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Random } from "../../src/numeric/random.js";
import { memoryEdge } from "../../src/server/edge/memory.js";
import { edgeApp } from "../../src/server/http/app.js";
import { type FaultCase, progress } from "./case.js";

const MINUTE = 60_000;
/** Streams and users there are, and visits a minute. */
const [STREAMS, USERS, VISITS] = [60, 5000, 25];
/** Hours before memory is looked at: users, streams and code come to stay. */
const WARM = 24;

/** Bytes in use, after what is garbage is gone. */
function inUse(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A day of traffic, as fast as it goes, over the HTTP handler: memory at its end is that of its beginning. */
export const MEMORY: FaultCase = {
  ...{ name: "memory over a compressed day", unit: "hours", full: 24, few: 2, part: 24 },
  async run(count, _seed, tell) {
    const begin = 1e12;
    let time = begin;
    const edge = await memoryEdge({ recommender: { seed: 1 }, now: () => time });
    const app = edgeApp({ edge, now: () => time });
    const headers = { "content-type": "application/json" };
    const random = new Random(1);
    const ask = async (path: string, body: unknown) => {
      const init = { method: "POST", headers, body: JSON.stringify(body) };
      const response = await app.fetch(new Request(`http://x${path}`, init));
      if (response.status >= 300) throw new Error(`${path} was answered with ${response.status}`);
      return response.json();
    };
    const warm = count < 24 ? 2 : WARM;
    const step = progress(tell, "hours", count);
    const sizes: number[] = [];
    for (let minute = 0; minute < (warm + count) * 60; minute++) {
      time = begin + minute * MINUTE;
      // A stream goes off air and another on, every other minute.
      const stream = `s${(minute / 2) % STREAMS}`;
      if (minute % 2 === 0) {
        const about = { time, stream, streamer: `r${minute % 300}`, category: `c${minute % 20}` };
        await ask("/v1/events", [
          { kind: "off_air", time, stream },
          { kind: "on_air", ...about },
        ]);
      }
      for (let i = 0; i < VISITS; i++) {
        time++;
        const { id: decision, user, slate } = await ask("/v1/recommend", { user: `u${random.below(USERS)}`, k: 6 });
        if (slate.length === 0) continue;
        const about = { user, stream: random.pick(slate as string[]), decision, time };
        const watchMs = random.below(60) * 1000;
        await ask("/v1/events", [
          { kind: "click", ...about },
          { kind: "watch", watchMs, ...about },
        ]);
      }
      if (minute % 60 !== 59) continue;
      await edge.settled();
      const hour = (minute + 1) / 60 - warm;
      if (hour < 1) continue;
      sizes.push(inUse());
      step(hour);
    }
    const { requests, events: taken } = edge.stats();
    await edge.close();
    const third = Math.max(1, Math.floor(sizes.length / 3));
    const mean = (some: readonly number[]) => some.reduce((sum, size) => sum + size, 0) / some.length;
    const [first, last] = [mean(sizes.slice(0, third)), mean(sizes.slice(-third))];
    return [
      { metric: "slates", value: requests, unit: "slates" },
      { metric: "events", value: taken, unit: "events" },
      { metric: "bytes_first_third", value: Math.round(first), unit: "bytes", merge: "max" },
      { metric: "bytes_last_third_over_first", value: last / first, unit: "1", most: 1.1, merge: "max" },
    ];
  },
};
