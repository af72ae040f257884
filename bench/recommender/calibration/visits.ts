/** The statistics of a log's visits that were published of KuaiLive, and three of Twitch's viewers. */

import { DAY, HOUR, type LiveEvent, MINUTE } from "../../../src/protocol/index.js";
import { gini } from "../../../src/statistics/index.js";
import { mean, sortedQuantile } from "./numbers.js";

/** Watches that a look every ten minutes would have found more likely than not. */
const FOUND_MS = 5 * MINUTE;
/** Repeats are counted at the end of the run, as the published share is of each user's last visit. */
const LATE = 1 / 3;
/** Visits longer than this are no bounces, of which the fit has one in a hundred above it. */
const ENGAGED_MS = 30_000;

interface Watched {
  user: string;
  streamer: string;
  ms: number;
}

interface Gift {
  user: string;
  streamer: string;
  amount: number;
  /** Milliseconds from the click to the gift. */
  after: number;
  /** Length of the visit; undefined until it is over. */
  visitMs: number | undefined;
}

export class Visits {
  readonly #users: number;
  readonly #days: number;
  readonly #streamerOf = new Map<string, string>();
  readonly #streamers = new Set<string>();
  readonly #watches: Watched[] = [];
  readonly #gifts: Gift[] = [];
  readonly #clickAt = new Map<string, number>();
  /** Gifts of visits that are not over. */
  readonly #open = new Map<string, Gift[]>();
  /** Pairs of a user and a streamer with a watch that was found. */
  readonly #known = new Set<string>();
  readonly #counts: Partial<Record<LiveEvent["kind"], number>> = {};
  /** Requests, by the hour of the day. */
  readonly #byHour = new Float64Array(24);
  #shownClicks = 0;
  #found = 0;
  #repeats = 0;

  constructor({ viewers, days }: { viewers: number; days: number }) {
    this.#users = viewers;
    this.#days = days;
  }

  feedback(event: LiveEvent): void {
    this.#counts[event.kind] = (this.#counts[event.kind] ?? 0) + 1;
    if (event.kind === "on_air") {
      this.#streamerOf.set(event.stream, event.streamer);
      this.#streamers.add(event.streamer);
    } else if (event.kind === "impression") {
      if (event.position === 0) this.#byHour[Math.floor((event.time % DAY) / HOUR)]!++;
    } else if (event.kind === "click") {
      this.#clickAt.set(event.user, event.time);
      if (event.decision !== undefined) this.#shownClicks++;
    } else if (event.kind === "gift") {
      const { user, stream, amount, time } = event;
      const after = time - this.#clickAt.get(user)!;
      const gift: Gift = { user, streamer: this.#streamerOf.get(stream)!, amount, after, visitMs: undefined };
      this.#gifts.push(gift);
      this.#open.set(user, [...(this.#open.get(user) ?? []), gift]);
    } else if (event.kind === "watch") {
      this.#watch(event.user, this.#streamerOf.get(event.stream)!, event.watchMs, event.time);
    }
  }

  #watch(user: string, streamer: string, ms: number, now: number): void {
    this.#watches.push({ user, streamer, ms });
    for (const gift of this.#open.get(user) ?? []) gift.visitMs = ms;
    this.#open.delete(user);
    if (ms < FOUND_MS) return;
    const pair = `${user} ${streamer}`;
    if (now >= this.#days * DAY * (1 - LATE)) {
      this.#found++;
      if (this.#known.has(pair)) this.#repeats++;
    }
    this.#known.add(pair);
  }

  statistics(): [name: string, value: number][] {
    const { impression = 0, click = 0, like = 0, comment = 0, gift = 0, follow = 0 } = this.#counts;
    const userDays = this.#users * this.#days;
    const seconds = this.#watches.map(({ ms }) => ms / 1000);
    const at = sortedQuantile(seconds);
    const hours = (seconds.reduce((sum, x) => sum + x, 0) * 1000) / HOUR;
    return [
      ["clicks per exposure", this.#shownClicks / impression],
      ["exposures a user and day", impression / userDays],
      ["clicks a user and day", click / userDays],
      ["likes per click", like / click],
      ["comments per click", comment / click],
      ["gifts per click", gift / click],
      ["follows per viewer-hour", follow / hours],
      ["viewers, peak / trough", Math.max(...this.#byHour) / Math.min(...this.#byHour)],
      ["visit P50", at(0.5)],
      ["visit P90", at(0.9)],
      ["visit P99", at(0.99)],
      ["visit mean", mean(seconds)],
      ["visits engaged", seconds.filter((x) => x * 1000 > ENGAGED_MS).length / seconds.length],
      ["repeats among watches", this.#repeats / this.#found],
      ...this.#totals(),
      ...this.#given(),
    ];
  }

  /** Sums of the time watched, by user and by streamer. */
  #totals(): [string, number][] {
    const byUser = grouped(this.#watches, "user");
    const byStreamer = grouped(this.#watches, "streamer");
    const total = (list: readonly Watched[]) => list.reduce((sum, { ms }) => sum + ms, 0) / 1000;
    const users = [...byUser.values()].map(total);
    const atUser = sortedQuantile(users);
    const atStreamer = sortedQuantile([...byStreamer.values()].map(total));
    const loyalty = sortedQuantile([...byUser.values()].map((list) => topShare(list, ({ ms }) => ms)));
    return [
      ["watch time of a user P50", atUser(0.5)],
      ["watch time of a user, mean", mean(users)],
      ["watch time of a user P90", atUser(0.9)],
      ["watch time of a user P99", atUser(0.99)],
      ["watch time of a streamer P50", atStreamer(0.5)],
      ["watch time of a streamer P90", atStreamer(0.9)],
      ["watch time of a streamer P99", atStreamer(0.99)],
      ["watch loyalty P50", loyalty(0.5)],
      ["watch loyalty P90", loyalty(0.9)],
    ];
  }

  #given(): [string, number][] {
    const amounts = this.#gifts.map(({ amount }) => amount);
    const at = sortedQuantile(amounts);
    const sum = (list: readonly Gift[]) => list.reduce((total, { amount }) => total + amount, 0);
    const byUser = grouped(this.#gifts, "user");
    const byStreamer = grouped(this.#gifts, "streamer");
    const ended = this.#gifts.filter(({ visitMs }) => visitMs !== undefined);
    const early = ended.filter(({ after, visitMs }) => after <= 0.1 * visitMs!);
    const loyalty = sortedQuantile([...byUser.values()].map((list) => topShare(list, ({ amount }) => amount)));
    return [
      ["gift P50", at(0.5)],
      ["gift mean", mean(amounts)],
      ["gift P90", at(0.9)],
      ["gift P99", at(0.99)],
      ["gifts of 1", amounts.filter((amount) => amount === 1).length / amounts.length],
      ["gifts, Gini of users", gini([...byUser.values()].map(sum))],
      ["gifts, Gini of streamers", gini([...byStreamer.values()].map(sum))],
      ["streamers without a gift", 1 - byStreamer.size / this.#streamers.size],
      ["gifts in the first tenth", early.length / ended.length],
      ["gift loyalty P50", loyalty(0.5)],
    ];
  }
}

function grouped<T extends { user: string; streamer: string }>(
  items: readonly T[],
  by: "user" | "streamer",
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item[by]);
    if (group) group.push(item);
    else groups.set(item[by], [item]);
  }
  return groups;
}

/** Share of one user's sum that went to the streamer who got most. */
function topShare<T extends { user: string; streamer: string }>(list: readonly T[], of: (item: T) => number): number {
  const sums = [...grouped(list, "streamer").values()].map((own) => own.reduce((sum, item) => sum + of(item), 0));
  return Math.max(...sums) / sums.reduce((sum, x) => sum + x, 0);
}
