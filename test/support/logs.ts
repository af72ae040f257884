import { exponential } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/recommender/index.js";

const HOUR = 3_600_000;

/** Thirty streams a day, of six hours each. */
function broadcasts(days: number, random: Random): { stream: string; start: number; end: number }[] {
  return Array.from({ length: 30 * days }, (_, s) => {
    const start = Math.floor(random.uniform() * (days - 0.25) * 24 * HOUR);
    return { stream: `s${s}`, start, end: start + 6 * HOUR };
  });
}

/**
 * A made-up log of users who come, look at slates, click, stay and leave, in order of time. Each decision has its
 * impressions; some watches end after the stream did.
 */
export function madeUpLog(users: number, days: number, seed: number): LiveEvent[] {
  const random = Random.named(seed, "log");
  const streams = broadcasts(days, random);
  const events: LiveEvent[] = [];
  for (const [s, { stream, start, end }] of streams.entries()) {
    const tags = s % 2 === 0 ? ["even"] : ["odd", "new"];
    events.push({ kind: "on_air", time: start, stream, streamer: `r${s % 11}`, category: `c${s % 3}`, tags });
    events.push({ kind: "update", time: start + 1, stream, viewers: random.below(500) });
    events.push({ kind: "off_air", time: end, stream });
  }
  for (let u = 0; u < users; u++) {
    const user = `u${u}`;
    let time = exponential(random, (days * 24 * HOUR) / 4);
    for (let request = 0; time < days * 24 * HOUR; request++) {
      const onAir = random.shuffle(streams.filter(({ start, end }) => start + 1 < time && time < end));
      const decision = `d-${user}-${request}`;
      for (const [position, { stream }] of onAir.slice(0, 3).entries()) {
        events.push({ kind: "impression", time: Math.floor(time), user, stream, decision, position });
      }
      time += 1000 + exponential(random, 5000);
      const clicked = onAir[random.below(6)];
      if (clicked && onAir.indexOf(clicked) < 3) time = visit(events, user, clicked.stream, decision, time, random);
      time += random.bernoulli(0.5) ? 60_000 : exponential(random, 40 * HOUR);
    }
  }
  const order = events.map((event, i) => ({ event, i }));
  return order.sort((a, b) => a.event.time - b.event.time || a.i - b.i).map(({ event }) => event);
}

/** Adds a visit; returns when it ends. */
function visit(
  events: LiveEvent[],
  user: string,
  stream: string,
  decision: string,
  start: number,
  random: Random,
): number {
  const time = Math.floor(start);
  events.push({ kind: "click", time, user, stream, decision });
  const watchMs = Math.floor(random.bernoulli(0.4) ? exponential(random, 4000) : exponential(random, 2_400_000));
  if (random.bernoulli(0.3)) events.push({ kind: "follow", time: time + (watchMs >> 1), user, stream });
  for (let n = random.below(3); n > 0; n--) {
    events.push({ kind: "gift", time: time + Math.floor(watchMs / (n + 1)), user, stream, amount: n });
  }
  events.push({ kind: "watch", time: time + watchMs, user, stream, watchMs, decision });
  return time + watchMs;
}
