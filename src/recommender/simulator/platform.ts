import { exp } from "../../math.js";
import { Random } from "../../random.js";
import { DAY, HOUR } from "../decay.js";
import type { Id, LiveEvent } from "../events.js";
import type { Decision, Policy } from "../policy.js";
import { Content, tagsOf } from "./content.js";
import { Metrics, type PlatformMetrics, type SimulationResult } from "./metrics.js";
import { type PlatformOptions, platformOptions } from "./options.js";
import { EventQueue } from "./queue.js";
import { afterActivity, planDay } from "./schedule.js";
import { drawStreamer, Stream, type Streamer, TICK } from "./streamers.js";
import { Viewer } from "./viewers.js";

/**
 * What an engaged visitor does besides watching, per engaged visit.
 *
 * KuaiLive (Qu et al. 2025, arXiv:2508.05633) has 3.65 likes, 4.0 comments and 1.48 gifts per 100 clicks, of which 22.4 engage. Shares and
 * dislikes are set by hand.
 */
const LIKES = 0.163;
const COMMENTS = 0.179;
const GIFTS = 0.066;
const SHARES = 0.01;
/** Dislikes per bounce, at full clickbait. */
const DISLIKES = 0.02;
/** Follows per hour watched: pooled over Twitch broadcasts. */
const FOLLOWS_PER_HOUR = 0.037;
/** Share of gifts in the first tenth of a visit, and their amounts: median 2, mean 83, 90th percentile 88 (KuaiLive). */
const GIFTS_EARLY = 0.9;
const GIFT_MEDIAN = 2.4;
const GIFT_SIGMA = 2.7;
const GIFT_LARGE = 0.05;
const GIFT_LARGE_LEAST = 20;
const GIFT_LARGE_EXPONENT = 1.5;
const GIFT_MAX = 50_000;

/** Median time, in milliseconds, to look over a slate, and its spread. Set by hand. */
const LOOK_MEDIAN = 12_000;
const LOOK_SIGMA = 0.5;
/** New streamers per streamer and day; about as many retire. Set by hand. */
const ARRIVALS = 1 / 150;
/** A streamer rests at least this long between two broadcasts. */
const REST = HOUR;

/** What is behind the platform: only for oracles and tests, never for a policy that is to be judged. */
export interface Latents {
  viewer(id: Id): Viewer;
  /** The streams on air. */
  streams(): Iterable<Stream>;
}

/** A policy, or what makes one that sees the latents. */
export type PolicyOrOracle = Policy | ((latents: Latents) => Policy);

export interface SimulationHooks {
  /** Ends the run between two simulated hours; `simulate` then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called after every simulated hour. */
  onProgress?(fraction: number, day: number, metrics: PlatformMetrics): void;
  /** Called with every event, after the policy has seen it. */
  onEvent?(event: LiveEvent): void;
}

interface StreamerState {
  readonly streamer: Streamer;
  /** Broadcasts so far. */
  serial: number;
  /** When the streamer can start again. */
  freeAt: number;
}

/**
 * A generated live platform: streamers come and go by their own schedules, viewers open it, look, click, stay or leave.
 *
 * One policy decides what they see. The run is a pure function of the options and of what the policy does: every viewer,
 * streamer, session and request draws from a stream of random numbers of its own name, so that two policies meet the
 * same world. Schedules and lengths follow published measurements of Twitch and KuaiLive; how viewers react follows
 * RecSim (Ie et al. 2019) and KuaiSim (Zhao et al. 2023) with sizes set by hand.
 */
export class Platform implements Latents {
  readonly options: Readonly<PlatformOptions>;
  readonly #policy: Policy;
  readonly #onEvent: ((event: LiveEvent) => void) | undefined;
  readonly #queue = new EventQueue();
  readonly #content: Content;
  readonly #metrics: Metrics;
  readonly #viewers: Viewer[] = [];
  readonly #viewerById = new Map<Id, Viewer>();
  readonly #streamers: StreamerState[] = [];
  readonly #onAir = new Map<Id, Stream>();
  #now = 0;

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(policy: PolicyOrOracle, options: Partial<PlatformOptions> = {}, onEvent?: (event: LiveEvent) => void) {
    this.options = platformOptions(options);
    const { seed, viewers, streamers } = this.options;
    this.#content = new Content(seed);
    this.#metrics = new Metrics(this.options);
    this.#onEvent = onEvent;
    this.#policy = typeof policy === "function" ? policy(this) : policy;
    for (let i = 0; i < streamers; i++) this.#addStreamer(Number.NEGATIVE_INFINITY);
    // The day before, so that streams are on air when the clock starts.
    for (let day = -1; day <= 0; day++) this.#plan(day);
    this.#queue.at(0, (now) => this.#newDay(now));
    for (let i = 0; i < viewers; i++) this.#addViewer(i);
  }

  /** How far the run has come, milliseconds since its start. */
  get now(): number {
    return this.#now;
  }

  viewer(id: Id): Viewer {
    const viewer = this.#viewerById.get(id);
    if (viewer === undefined) throw new RangeError(`no viewer ${JSON.stringify(id)}`);
    return viewer;
  }

  streams(): Iterable<Stream> {
    return this.#onAir.values();
  }

  /** Runs until a time in milliseconds, or to the end of the last day. */
  advance(until: number): void {
    const end = Math.min(until, this.options.days * DAY);
    while (this.#queue.next < end) this.#queue.step();
    this.#now = Math.max(this.#now, end);
  }

  /** What has come out so far; takes O(1). */
  metrics(): PlatformMetrics {
    return this.#metrics.soFar(this.#now);
  }

  /** What has come out so far, with all that takes time to compute. */
  result(): SimulationResult {
    let satisfaction = 0;
    for (const viewer of this.#viewers) satisfaction += viewer.satisfaction;
    return this.#metrics.result(this.#now, satisfaction / this.#viewers.length);
  }

  #emit(event: LiveEvent): void {
    this.#metrics.events++;
    this.#policy.feedback(event);
    this.#onEvent?.(event);
  }

  #addStreamer(born: number): void {
    const streamer = drawStreamer(this.options.seed, this.#streamers.length, born, this.#content);
    this.#streamers.push({ streamer, serial: 0, freeAt: Number.NEGATIVE_INFINITY });
  }

  #addViewer(index: number): void {
    const viewer = new Viewer(this.options.seed, index);
    this.#viewers.push(viewer);
    this.#viewerById.set(viewer.id, viewer);
    const wait = Random.named(this.options.seed, "arrival", index).exponential(viewer.meanGap(0));
    this.#queue.at(afterActivity(0, wait), (now) => this.#session(viewer, now));
  }

  /** Plans the next day a day ahead: a start can fall half a day before its day. */
  #newDay(now: number): void {
    const day = Math.round(now / DAY) + 1;
    const random = Random.named(this.options.seed, "arrivals", day);
    const born = random.poisson(ARRIVALS * this.options.streamers);
    for (let i = 0; i < born; i++) this.#addStreamer(day * DAY);
    this.#plan(day);
    this.#queue.at(now + DAY, (then) => this.#newDay(then));
  }

  #plan(day: number): void {
    const { seed } = this.options;
    for (const state of this.#streamers) {
      const { streamer } = state;
      for (const { start, end } of planDay(streamer.habit, day, Random.named(seed, "day", streamer.index, day))) {
        if (start < state.freeAt || start < streamer.born || start >= streamer.retires) continue;
        state.freeAt = end + REST;
        const serial = state.serial++;
        if (end <= 0) continue;
        const random = Random.named(seed, "stream", streamer.index, serial);
        const stream = new Stream(streamer, serial, start, end, random, this.#content);
        this.#queue.at(Math.max(0, start), (now) => this.#start(stream, now));
      }
    }
  }

  #start(stream: Stream, now: number): void {
    this.#onAir.set(stream.id, stream);
    this.#metrics.onAir(stream);
    this.#emit({
      kind: "on_air",
      time: now,
      stream: stream.id,
      streamer: stream.streamer.id,
      category: stream.categoryName,
      tags: tagsOf(stream.topics),
    });
    this.#queue.at(stream.end, (then) => this.#stop(stream, then));
    this.#tick(stream, now);
  }

  #stop(stream: Stream, now: number): void {
    this.#onAir.delete(stream.id);
    this.#emit({ kind: "off_air", time: now, stream: stream.id });
  }

  #tick(stream: Stream, now: number): void {
    const viewers = stream.tick(now);
    if (viewers !== stream.published) {
      stream.published = viewers;
      this.#emit({ kind: "update", time: now, stream: stream.id, viewers });
    }
    if (now + TICK < stream.end) this.#queue.at(now + TICK, (then) => this.#tick(stream, then));
  }

  #session(viewer: Viewer, now: number): void {
    viewer.arrive(Random.named(this.options.seed, "session", viewer.index, viewer.sessions));
    this.#metrics.session(now);
    this.#request(viewer, now);
  }

  #request(viewer: Viewer, now: number): void {
    const { seed, slate: k } = this.options;
    const random = Random.named(seed, "request", viewer.index, viewer.sessions, viewer.requests);
    viewer.request();
    const decision = this.#policy.recommend({ user: viewer.id, now, k });
    const slate = this.#slateOf(decision, now);
    this.#metrics.slate(slate, now);
    for (let position = 0; position < slate.length; position++) {
      const stream = slate[position]!.id;
      this.#emit({ kind: "impression", time: now, user: viewer.id, stream, decision: decision.id, position });
    }
    const clicked = viewer.examine(slate, now, random);
    if (clicked >= 0) {
      this.#click(viewer, slate[clicked]!, decision.id, now, random);
      return;
    }
    viewer.ignore();
    this.#goOn(viewer, now, random);
  }

  /** The streams of a decision, after a check that all can be shown. */
  #slateOf(decision: Decision, now: number): Stream[] {
    const who = `policy ${JSON.stringify(this.#policy.name)}`;
    const { slate } = decision;
    if (slate.length > this.options.slate) {
      throw new Error(`${who} recommended ${slate.length} streams where ${this.options.slate} were asked for`);
    }
    return slate.map((id, position) => {
      const stream = this.#onAir.get(id);
      if (stream === undefined) throw new Error(`${who} recommended ${JSON.stringify(id)}, not on air at ${now} ms`);
      if (slate.indexOf(id) !== position)
        throw new Error(`${who} recommended ${JSON.stringify(id)} twice at ${now} ms`);
      return stream;
    });
  }

  #click(viewer: Viewer, stream: Stream, decision: Id, now: number, random: Random): void {
    this.#emit({ kind: "click", time: now, user: viewer.id, stream: stream.id, decision });
    const { engaged, wantedMs } = viewer.visit(stream, now, random);
    this.#metrics.click(engaged, viewer.knows(stream.streamer), now);
    stream.watchers++;
    const end = Math.min(stream.end, now + Math.max(1, Math.round(wantedMs)));
    this.#interact(viewer, stream, engaged, now, end - now, random);
    this.#queue.at(end, (then) => {
      stream.watchers--;
      const watchMs = then - now;
      viewer.leave(stream, engaged, watchMs, then, random);
      this.#metrics.watch(stream.streamer, watchMs, then);
      this.#emit({ kind: "watch", time: then, user: viewer.id, stream: stream.id, watchMs, decision });
      this.#goOn(viewer, then, random);
    });
  }

  /** Draws what the viewer does during a visit, and when. */
  #interact(viewer: Viewer, stream: Stream, engaged: boolean, now: number, watchMs: number, random: Random): void {
    const user = viewer.id;
    const act = (kind: "like" | "comment" | "share" | "follow" | "dislike", chance: number) => {
      const happens = random.bernoulli(chance);
      const time = now + Math.floor(random.uniform() * watchMs);
      if (!happens) return;
      this.#queue.at(time, () => {
        if (kind === "follow") viewer.follow(stream.streamer, time);
        this.#emit({ kind, time, user, stream: stream.id });
      });
    };
    if (!engaged) {
      act("dislike", DISLIKES * stream.streamer.clickbait);
      return;
    }
    act("like", LIKES);
    act("comment", COMMENTS);
    act("share", SHARES);
    act("follow", viewer.follows(stream.streamer) ? 0 : 1 - exp((-FOLLOWS_PER_HOUR * watchMs) / HOUR));
    if (!random.bernoulli(GIFTS * viewer.generosity)) return;
    const part = random.bernoulli(GIFTS_EARLY) ? 0.1 : 1;
    const time = now + Math.floor(part * random.uniform() * watchMs);
    const amount = giftAmount(random);
    this.#queue.at(time, () => this.#emit({ kind: "gift", time, user, stream: stream.id, amount }));
  }

  /** After a slate or a visit: the next request, or the end of the session and some day the next one. */
  #goOn(viewer: Viewer, now: number, random: Random): void {
    if (viewer.temper > 0) {
      const look = Math.ceil(random.lognormal(LOOK_MEDIAN, LOOK_SIGMA));
      this.#queue.at(now + look, (then) => this.#request(viewer, then));
      return;
    }
    const draw = Random.named(this.options.seed, "gap", viewer.index, viewer.sessions);
    const gap = draw.exponential(viewer.meanGap(now));
    if (gap <= viewer.churnsAfter) this.#queue.at(afterActivity(now, gap), (then) => this.#session(viewer, then));
  }
}

/** Mostly small change, now and then a fortune. */
function giftAmount(random: Random): number {
  const large = random.bernoulli(GIFT_LARGE);
  const amount = large
    ? GIFT_LARGE_LEAST * exp(random.exponential(1 / GIFT_LARGE_EXPONENT))
    : random.lognormal(GIFT_MEDIAN, GIFT_SIGMA);
  return Math.min(GIFT_MAX, Math.max(1, Math.floor(amount)));
}

/**
 * Runs a policy on a generated platform and says what came of it.
 *
 * @param policy - Sees every event in order of time, and is asked for `slate` streams at every request.
 * @param options - Size and seed. The same options and the same policy give the same events, bit for bit.
 * @throws TypeError for an unknown option, RangeError for one out of its range.
 * @throws Error where the policy recommends a stream that is not on air, one twice, or too many.
 */
export function simulate(
  policy: PolicyOrOracle,
  options: Partial<PlatformOptions> = {},
  hooks: SimulationHooks = {},
): SimulationResult {
  const platform = new Platform(policy, options, hooks.onEvent?.bind(hooks));
  const end = platform.options.days * DAY;
  for (let hour = HOUR; hour <= end; hour += HOUR) {
    hooks.signal?.throwIfAborted();
    platform.advance(hour);
    hooks.onProgress?.(hour / end, hour / DAY, platform.metrics());
  }
  return platform.result();
}
