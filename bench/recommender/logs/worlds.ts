import { exponential } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";
import { DAY, HOUR, type LiveEvent, MINUTE } from "../../../src/protocol/index.js";

/** Kinds of events that a log of users alone keeps. */
export type Kept = "clicks" | "watches" | "comments";

/** Size of a world; tastes are planted. */
export interface WorldSize {
  users: number;
  items: number;
  groups: number;
  days: number;
  seed: number;
}

/** A cumulative table to draw from by weight. */
function table(weights: readonly number[]): (random: Random) => number {
  const sums: number[] = [];
  let sum = 0;
  for (const weight of weights) sums.push((sum += weight));
  return (random) => {
    const at = random.uniform() * sum;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function sorted(events: LiveEvent[]): LiveEvent[] {
  const order = events.map((event, i) => ({ event, i }));
  return order.sort((a, b) => a.event.time - b.event.time || a.i - b.i).map(({ event }) => event);
}

/**
 * A live platform without a log of what was on air or shown: users of a few tastes, streamers who are on air for some hours
 * a day, popular ones more often entered. In 3 of 4 visits a user enters a streamer of the own taste, half of these one
 * that the user had entered before.
 */
export function liveWorld({ users, items, groups, days, seed }: WorldSize, kept: Kept): LiveEvent[] {
  const random = Random.named(seed, "live-log");
  const streamers = Array.from({ length: items }, (_, i) => {
    return {
      group: i % groups,
      weight: 1 / (1 + (i >> 2)) ** 0.7,
      start: random.uniform() * DAY,
      length: (2 + 6 * random.uniform()) * HOUR,
    };
  });
  const isOn = (i: number, time: number) => (time - streamers[i]!.start + 2 * DAY) % DAY < streamers[i]!.length;
  const events: LiveEvent[] = [];
  for (let u = 0; u < users; u++) {
    const taste = random.below(groups);
    const known: number[] = [];
    for (let time = exponential(random, DAY); time < days * DAY; time += exponential(random, 10 * HOUR)) {
      const on = streamers.flatMap((_, i) => (isOn(i, time) ? [i] : []));
      const isOwn = random.bernoulli(0.75);
      const again = known.filter((i) => on.includes(i));
      const fitting = on.filter((i) => !isOwn || streamers[i]!.group === taste);
      if (fitting.length === 0) continue;
      const isAgain = isOwn && again.length > 0 && random.bernoulli(0.5);
      const chosen = isAgain ? random.pick(again) : fitting[table(fitting.map((i) => streamers[i]!.weight))(random)]!;
      const fits = streamers[chosen]!.group === taste;
      if (fits) known.push(chosen);
      const watchMs = Math.floor(exponential(random, fits ? 30 * MINUTE : 3 * MINUTE)) + 1000;
      add(events, kept, { user: `u${u}`, stream: `s${chosen}`, time: Math.floor(time), watchMs }, random);
      time += watchMs;
    }
  }
  return sorted(events);
}

function add(
  events: LiveEvent[],
  kept: Kept,
  { user, stream, time, watchMs }: { user: string; stream: string; time: number; watchMs: number },
  random: Random,
): void {
  if (kept === "clicks") events.push({ kind: "click", time, user, stream });
  else if (kept === "watches") events.push({ kind: "watch", time: time + watchMs, user, stream, watchMs });
  else {
    for (let at = time + 1000; at < time + watchMs; at += Math.floor(exponential(random, 5 * MINUTE))) {
      events.push({ kind: "comment", time: at, user, stream });
    }
  }
}

/**
 * A shop: views, carts and purchases alone. Users of a few tastes look at products, mostly of theirs, popular ones more
 * often; of these they put some into the cart, and buy some. Cheap products sell often; dear ones seldom.
 */
export function shopWorld({ users, items, groups, days, seed }: WorldSize): LiveEvent[] {
  const random = Random.named(seed, "shop-log");
  const products = Array.from({ length: items }, (_, i) => {
    return { group: i % groups, weight: 1 / (1 + (i >> 2)) ** 0.8, price: 2 + Math.floor(exponential(random, 30)) };
  });
  const all = table(products.map(({ weight }) => weight));
  const own = Array.from({ length: groups }, (_, g) => {
    const members = products.flatMap(({ group }, i) => (group === g ? [i] : []));
    const draw = table(members.map((i) => products[i]!.weight));
    return (from: Random) => members[draw(from)]!;
  });
  const events: LiveEvent[] = [];
  for (let u = 0; u < users; u++) {
    const [user, taste] = [`u${u}`, random.below(groups)];
    for (let time = exponential(random, 3 * DAY); time < days * DAY; time += exponential(random, 3 * DAY)) {
      for (let view = 1 + random.below(6); view > 0; view--) {
        time += 5000 + exponential(random, MINUTE);
        const product = random.bernoulli(0.7) ? own[taste]!(random) : all(random);
        const about = { user, stream: `p${product}` };
        const at = Math.floor(time);
        events.push({ kind: "click", time: at, ...about });
        const fits = products[product]!.group === taste;
        if (!random.bernoulli(fits ? 0.3 : 0.05)) continue;
        events.push({ kind: "signal", time: at + 2000, ...about, name: "cart", value: 1 });
        const amount = products[product]!.price;
        if (random.bernoulli(0.5)) events.push({ kind: "purchase", time: at + 4000, ...about, amount });
      }
    }
  }
  return sorted(events);
}
