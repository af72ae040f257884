import type { Id, LiveEvent } from "../../protocol/index.js";
import { gini } from "../../statistics/index.js";
import { count, type LogDiversity } from "../basics/index.js";
import { Sample } from "./sample.js";

/** Impressions and clicks of a streamer. */
type Exposure = [impressions: number, clicks: number];

/** Clicks of a user, how many of them were on a streamer clicked before, and the streamers. */
interface Visitor {
  user: Id;
  clicks: number;
  repeats: number;
  streamers: Set<Id> | undefined;
}

/** Measures diversity as events pass, in memory of at most `ids` entries of each sort. */
export class DiversityMeter {
  readonly #ids: number;
  readonly #users: Sample<Visitor>;
  readonly #streams: Sample<Id>;
  readonly #streamers: Sample<Exposure>;
  readonly #categories: Sample<true>;
  /** Pairs of a held user and a streamer whom the user clicked. */
  #pairs = 0;
  readonly #events: Record<string, number> = {};
  #from = Infinity;
  #to = -Infinity;

  constructor(ids: number) {
    this.#ids = ids;
    this.#users = new Sample(ids);
    this.#streams = new Sample(ids);
    this.#streamers = new Sample(ids);
    this.#categories = new Sample(ids);
  }

  /**
   * @param streamer The streamer of the event's stream, if an `on_air` event named it. Without one, the stream counts as
   * a streamer of its own.
   */
  feedback(event: LiveEvent, streamer?: Id): void {
    count(this.#events, event.kind);
    this.#from = Math.min(this.#from, event.time);
    this.#to = Math.max(this.#to, event.time);
    const visitor = "user" in event ? this.#visitor(event.user) : undefined;
    if (!("stream" in event)) return;
    if ("category" in event && event.category !== undefined) this.#categories.set(event.category, true);
    const known = streamer ?? this.#streams.get(event.stream) ?? event.stream;
    if (event.kind === "on_air" || streamer === undefined) this.#streams.set(event.stream, known);
    if (event.kind === "on_air") this.#exposure(known);
    else if (event.kind === "impression") this.#exposure(known)[0]++;
    else if (event.kind === "click") this.#click(visitor!, known);
  }

  get report(): LogDiversity {
    const exposures = [...this.#streamers.values.values()];
    const shown = this.#events["impression"] ? 0 : 1;
    let clicks = 0;
    let repeats = 0;
    for (const visitor of this.#users.values.values()) {
      clicks += visitor.clicks;
      repeats += visitor.repeats;
    }
    return {
      users: this.#users.total,
      streams: this.#streams.total,
      streamers: this.#streamers.total,
      categories: this.#categories.total,
      events: { ...this.#events },
      from: this.#to < 0 ? 0 : this.#from,
      to: Math.max(this.#to, 0),
      repeatShare: clicks === 0 ? 0 : repeats / clicks,
      // Reports become JSON, which has no NaN.
      exposureGini: gini(exposures.map((exposure) => exposure[shown])) || 0,
      exact: [this.#users, this.#streams, this.#streamers, this.#categories].every(({ exact }) => exact),
    };
  }

  /** The entry of a streamer; outside the sample, an entry that is not kept. */
  #exposure(streamer: Id): Exposure {
    let exposure = this.#streamers.get(streamer);
    if (exposure === undefined) {
      exposure = [0, 0];
      this.#streamers.set(streamer, exposure);
    }
    return exposure;
  }

  /** The entry of a user; outside the sample, an entry that is not kept. */
  #visitor(user: Id): Visitor {
    let visitor = this.#users.get(user);
    if (visitor === undefined) {
      visitor = { clicks: 0, repeats: 0, streamers: undefined, user };
      this.#users.set(user, visitor);
    }
    return visitor;
  }

  #click(visitor: Visitor, streamer: Id): void {
    this.#exposure(streamer)[1]++;
    if (!this.#users.takes(visitor.user)) return;
    visitor.clicks++;
    visitor.streamers ??= new Set();
    if (visitor.streamers.has(streamer)) {
      visitor.repeats++;
      return;
    }
    visitor.streamers.add(streamer);
    if (++this.#pairs <= this.#ids) return;
    // Too many pairs: drop half of the users with all their pairs.
    this.#users.thin();
    this.#pairs = 0;
    for (const { streamers } of this.#users.values.values()) this.#pairs += streamers?.size ?? 0;
  }
}
