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

/** A visit of a live platform. */
export interface Visit {
  user: number;
  streamer: number;
  /** Number of the streamer's broadcast, and its times. */
  broadcast: number;
  begin: number;
  end: number;
  time: number;
  watchMs: number;
  /** Whether the streamer has the user's taste. */
  fits: boolean;
  /** Others who are on air. */
  on: readonly number[];
}

/**
 * Walks through a live platform, user by user: users of a few tastes, streamers who are on air for some hours a day, popular
 * ones more often entered. In 3 of 4 visits a user enters a streamer of the own taste, half of these one that the user had
 * entered before.
 */
export function walkLive(
  { users, items, groups, days, seed }: WorldSize,
  take: (visit: Visit, random: Random) => void,
): void {
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
  for (let user = 0; user < users; user++) {
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
      const { start, length } = streamers[chosen]!;
      const broadcast = Math.floor((time - start) / DAY);
      const begin = Math.floor(start + broadcast * DAY);
      const about = { broadcast, begin, end: Math.floor(begin + length), time: Math.floor(time) };
      take({ user, streamer: chosen, ...about, watchMs, fits, on }, random);
      time += watchMs;
    }
  }
}

/** A live platform without a log of what was on air or shown. */
export function liveWorld(size: WorldSize, kept: Kept): LiveEvent[] {
  const events: LiveEvent[] = [];
  walkLive(size, ({ user, streamer, time, watchMs }, random) => {
    add(events, kept, { user: `u${user}`, stream: `s${streamer}`, time, watchMs }, random);
  });
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
  else for (const at of chatTimes(time, watchMs, random)) events.push({ kind: "comment", time: at, user, stream });
}

/** When a viewer writes during a visit. */
export function* chatTimes(time: number, watchMs: number, random: Random): Generator<number, void, undefined> {
  for (let at = time + 1000; at < time + watchMs; at += Math.floor(exponential(random, 5 * MINUTE))) yield at;
}

/** A look at a product of a shop. */
export interface Look {
  user: number;
  product: number;
  time: number;
  price: number;
  isInCart: boolean;
  isBought: boolean;
}

/**
 * Walks through a shop, user by user. Users of a few tastes look at products, mostly of theirs, popular ones more often; of
 * these they put some into the cart, and buy some. Cheap products sell often; dear ones seldom.
 */
export function walkShop({ users, items, groups, days, seed }: WorldSize, take: (look: Look) => void): void {
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
  for (let user = 0; user < users; user++) {
    const taste = random.below(groups);
    for (let time = exponential(random, 3 * DAY); time < days * DAY; time += exponential(random, 3 * DAY)) {
      for (let view = 1 + random.below(6); view > 0; view--) {
        time += 5000 + exponential(random, MINUTE);
        const product = random.bernoulli(0.7) ? own[taste]!(random) : all(random);
        const { group, price } = products[product]!;
        const isInCart = random.bernoulli(group === taste ? 0.3 : 0.05);
        const isBought = isInCart && random.bernoulli(0.5);
        take({ user, product, time: Math.floor(time), price, isInCart, isBought });
      }
    }
  }
}

/** A shop's log: views, carts and purchases alone. */
export function shopWorld(size: WorldSize): LiveEvent[] {
  const events: LiveEvent[] = [];
  walkShop(size, ({ user, product, time, price, isInCart, isBought }) => {
    const about = { user: `u${user}`, stream: `p${product}` };
    events.push({ kind: "click", time, ...about });
    if (isInCart) events.push({ kind: "signal", time: time + 2000, ...about, name: "cart", value: 1 });
    if (isBought) events.push({ kind: "purchase", time: time + 4000, ...about, amount: price });
  });
  return sorted(events);
}

/** A title that a user rates. */
export interface Rating {
  user: number;
  item: number;
  /** 1 to 5. */
  rating: number;
  time: number;
}

/**
 * The ratings of a catalogue, in order of time: users of a few tastes rate titles, each once, 3 of 4 of their taste, popular
 * ones more often; those of their taste get more stars.
 */
export function ratingsOf({ users, items, groups, days, seed }: WorldSize): Rating[] {
  const random = Random.named(seed, "ratings-log");
  const weights = Array.from({ length: items }, (_, i) => 1 / (1 + (i >> 2)) ** 0.8);
  const ratings: Rating[] = [];
  for (let user = 0; user < users; user++) {
    const taste = random.below(groups);
    const seen = new Set<number>();
    const count = 10 + random.below(30);
    let time = random.uniform() * days * DAY * 0.8;
    for (let i = 0; i < count; i++) {
      const isOwn = random.bernoulli(0.75);
      const left = weights.map((weight, item) => (seen.has(item) || (isOwn && item % groups !== taste) ? 0 : weight));
      if (left.every((weight) => weight === 0)) continue;
      const item = table(left)(random);
      seen.add(item);
      const fits = item % groups === taste;
      time += exponential(random, (days * DAY) / 200);
      ratings.push({ user, item, rating: (fits ? 3 : 1) + random.below(3), time: Math.floor(time) });
    }
  }
  return ratings.sort((a, b) => a.time - b.time);
}

/** What a user was shown, and which of it was chosen. */
export interface Shown {
  user: number;
  time: number;
  items: { item: number; isChosen: boolean; playMs: number }[];
}

/** Lists that a policy without knowledge shows, half of them popular items: users choose mostly what fits their taste. */
export function walkShown(
  { users, items, groups, days, seed }: WorldSize,
  length: number,
  take: (shown: Shown) => void,
): void {
  const random = Random.named(seed, "shown-log");
  const popular = table(Array.from({ length: items }, (_, i) => 1 / (1 + (i >> 2)) ** 0.8));
  for (let user = 0; user < users; user++) {
    const taste = random.below(groups);
    for (let time = exponential(random, DAY); time < days * DAY; time += MINUTE + exponential(random, 10 * HOUR)) {
      const drawn = new Set<number>();
      while (drawn.size < length) drawn.add(random.bernoulli(0.5) ? popular(random) : random.below(items));
      const shown = Array.from(drawn, (item) => {
        const fits = item % groups === taste;
        const isChosen = random.bernoulli(fits ? 0.45 : 0.06);
        return { item, isChosen, playMs: isChosen ? 1000 + Math.floor(exponential(random, fits ? 60_000 : 8000)) : 0 };
      });
      take({ user, time: Math.floor(time), items: shown });
    }
  }
}
