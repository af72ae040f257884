import { PriorityQueue } from "../../collections/index.js";
import { exp, exponential, lognormal, Random } from "../../numeric/index.js";
import { DAY, HOUR, type Id, type LiveEvent } from "../../protocol/index.js";
import { Causes, drawComment, drawPhaseMs } from "./causes.js";
import { tagsOf, titleOf } from "./content.js";
import { Metrics } from "./metrics.js";
import type { PlatformOptions } from "./options.js";
import { type Programme, programmeOf } from "./programme.js";
import { Returns } from "./returns.js";
import { afterActivity } from "./schedule.js";
import { type Stream, TICK } from "./streamers.js";
import { drawFriends } from "./traits.js";
import { type Outcome, Viewer } from "./viewers.js";

/**
 * Interactions of an engaged visitor, per engaged visit.
 *
 * KuaiLive (Qu et al. 2025, arXiv:2508.05633) has 3.65 likes, 4.0 comments and 1.48 gifts per 100 clicks, of which 22.4 engage. Shares,
 * ratings and dislikes are set by hand.
 */
const LIKES = 0.163;
const COMMENTS = 0.179;
const GIFTS = 0.066;
const SHARES = 0.01;
const RATINGS = 0.02;
/** A rating at quality 0 and match 0, what quality and match add, and its noise. */
const RATING_BASE = 0.65;
const RATING_OF_QUALITY = 0.12;
const RATING_OF_MATCH = 0.06;
const RATING_NOISE = 0.12;
/** Dislikes per bounce, at full clickbait. */
const DISLIKES = 0.02;
/** Follows per hour watched of a streamer not followed yet: 0.037 of any, pooled over Twitch broadcasts. */
const FOLLOWS_PER_HOUR = 0.041;
/**
 * Share of gifts in the first tenth of a visit (KuaiLive: 90.4 %, of which one in ten would be there by chance), and
 * their amounts: 44 % are of 1, the median is 2, the mean 83, the 90th and 99th percentile 88 and 1488. How much is given
 * differs more between viewers, by their purses, than between gifts.
 */
const GIFTS_EARLY = 0.893;
const GIFT_ONE = 0.44;
const GIFT_MEDIAN = 10.7;
const GIFT_SIGMA = 1.4;
const GIFT_MAX = 20_000;

/** Median time, in milliseconds, to look over a slate, and its spread. Set by hand. */
const LOOK_MEDIAN = 12_000;
const LOOK_SIGMA = 0.5;
const HOME_PAGE = "home";

/** Serves the viewers of a world and receives its events. */
export interface Host {
  /** A viewer wants to be shown streams: `World.show` must follow, now or before the world goes on. */
  onRequest(viewer: Viewer, now: number): void;
  onEvent(event: LiveEvent): void;
}

/** Something due at a time. */
interface Due {
  time: number;
  run: (now: number) => void;
}

/**
 * Streamers and viewers, and the events between them.
 *
 * A pure function of the options and the slates: every viewer, streamer, session and request draws from a generator of its
 * own name, so that two policies meet the same world. Schedules and lengths follow published
 * measurements of Twitch and KuaiLive; how viewers react follows RecSim (Ie et al. 2019) and KuaiSim (Zhao et al. 2023)
 * with sizes set by hand.
 */
export class World {
  readonly metrics: Metrics;
  /** The viewers who are present or away, each in a place; `viewer` finds them by id. */
  readonly viewers: Viewer[] = [];
  readonly onAir = new Map<Id, Stream>();
  readonly #options: PlatformOptions;
  readonly #host: Host;
  readonly #queue = new PriorityQueue<Due>();
  readonly #programme: Programme;
  readonly #causes: Causes;
  readonly #returns: Returns;
  readonly #viewerById = new Map<Id, Viewer>();
  /** For each place the places of the friends whom its first viewer has made. */
  readonly #made: readonly number[][];
  #now = 0;

  constructor(options: PlatformOptions, host: Host) {
    this.#options = options;
    this.#host = host;
    this.metrics = new Metrics(options);
    this.#programme = programmeOf(options);
    this.#causes = new Causes(options.seed, options.causes);
    this.#returns = new Returns(options);
    // The day before, so that streams are on air when the clock starts.
    for (let day = -1; day <= 0; day++) this.#plan(day);
    this.#at(0, (now) => this.#newDay(now));
    for (let i = 0; i < options.viewers; i++) {
      const viewer = this.#addViewer(i);
      this.#await(viewer, 0, viewer.meanGap(0));
    }
    this.#made = drawFriends(options.seed, options.viewers, (i) => this.#causes.laterInCircle(i, options.viewers));
    this.#made.forEach((friends, i) => {
      for (const friend of friends) {
        this.viewers[i]!.friends.push(this.viewers[friend]!);
        this.viewers[friend]!.friends.push(this.viewers[i]!);
      }
    });
  }

  /** Simulated time, milliseconds since the start of the run. */
  get now(): number {
    return this.#now;
  }

  /** @throws RangeError for an id that no present viewer has. */
  viewer(id: Id): Viewer {
    const viewer = this.#viewerById.get(id);
    if (viewer === undefined) throw new RangeError(`no viewer ${JSON.stringify(id)}`);
    return viewer;
  }

  /** Runs until a time in milliseconds, to the end of the last day, or until `isOver` after a step. */
  advance(until: number, isOver: () => boolean = () => false): void {
    const end = Math.min(until, this.#options.days * DAY);
    for (let next = this.#queue.first; next !== undefined && next.time < end; next = this.#queue.first) {
      this.#now = next.time;
      this.#queue.pop().run(next.time);
      if (isOver()) return;
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Answers `Host.onRequest`: the viewer looks over the slate, and clicks, goes on or leaves. */
  show(viewer: Viewer, slate: readonly Stream[], decision: Id, now: number): void {
    this.metrics.slate(slate, now);
    for (let position = 0; position < slate.length; position++) {
      const stream = slate[position]!.id;
      this.#emit({ kind: "impression", time: now, user: viewer.id, stream, decision, position });
    }
    const random = Random.named(this.#options.seed, "request", viewer.index, viewer.sessions, viewer.wants);
    const clicked = viewer.examine(slate, now, random);
    if (clicked >= 0) this.#visit(viewer, slate[clicked]!, decision, now, random);
    else this.#goOn(viewer, now, random, "slate");
  }

  #emit(event: LiveEvent): void {
    this.metrics.events++;
    this.#host.onEvent(event);
  }

  #at(time: number, run: Due["run"]): void {
    this.#queue.push({ time, run });
  }

  #addViewer(index: number): Viewer {
    const viewer = new Viewer(this.#options.seed, index, this.#causes, this.#returns);
    this.viewers[this.#placeOf(viewer)] = viewer;
    this.#viewerById.set(viewer.id, viewer);
    return viewer;
  }

  /** Which of the viewers' places a viewer has: indices go on from one round of newcomers to the next. */
  #placeOf({ index }: Viewer): number {
    return index % this.#options.viewers;
  }

  /** Draws when a viewer comes for the first time. */
  #await(viewer: Viewer, now: number, meanMs: number): void {
    const wait = exponential(Random.named(this.#options.seed, "arrival", viewer.index), meanMs);
    this.#at(afterActivity(now, wait), (then) => this.#session(viewer, then));
  }

  /**
   * A newcomer takes the place of a viewer, and befriends the friends of that one. The wait is the same for all, as
   * newcomers are those who come: one who comes seldom must not keep a place empty for months.
   */
  #replace(old: Viewer, now: number): void {
    const viewer = this.#addViewer(old.index + this.#options.viewers);
    this.#viewerById.delete(old.id);
    for (const friend of old.friends) {
      viewer.friends.push(friend);
      friend.friends[friend.friends.indexOf(old)] = viewer;
    }
    this.metrics.newcomers++;
    this.#await(viewer, now, this.#returns.baseMs);
  }

  /** Plans the next day a day ahead: a start can fall half a day before its day. */
  #newDay(now: number): void {
    this.#plan(Math.round(now / DAY) + 1);
    this.#at(now + DAY, (then) => this.#newDay(then));
  }

  #plan(day: number): void {
    for (const stream of this.#programme.plan(day)) {
      this.#at(Math.max(0, stream.start), (now) => this.#start(stream, now));
    }
  }

  #start(stream: Stream, now: number): void {
    const { id, streamer, topics, categoryName } = stream;
    this.onAir.set(id, stream);
    streamer.live = stream;
    this.metrics.onAir(stream);
    const title = titleOf(topics, categoryName, Random.named(this.#options.seed, "title", id));
    this.#emit({
      kind: "on_air",
      time: now,
      stream: id,
      streamer: streamer.id,
      category: categoryName,
      tags: tagsOf(topics),
      title,
      language: streamer.language,
      ...(this.#causes.has("picture") && { embeddings: { image: this.#causes.cover(stream) } }),
    });
    this.#at(stream.end, (then) => this.#stop(stream, then));
    this.#tick(stream, now);
    if (!this.#causes.has("chat")) return;
    const random = this.#causes.chatRandom(stream);
    stream.isLively = this.#causes.startsLively(random);
    this.#chat(stream, now, random);
  }

  /** A phase of a stream's chat, and then the next one. */
  #chat(stream: Stream, now: number, random: Random): void {
    const end = now + drawPhaseMs(stream, random);
    this.#comment(stream, now, end, random);
  }

  #comment(stream: Stream, now: number, phaseEnd: number, random: Random): void {
    const { waitMs, user } = drawComment(stream, random);
    const next = now + waitMs;
    if (Math.min(next, phaseEnd) >= stream.end) return;
    this.#at(Math.min(next, phaseEnd), (time) => {
      if (next < phaseEnd) {
        this.#emit({ kind: "comment", time, user, stream: stream.id });
        this.#comment(stream, time, phaseEnd, random);
      } else {
        stream.isLively = !stream.isLively;
        this.#chat(stream, time, random);
      }
    });
  }

  #stop(stream: Stream, now: number): void {
    this.onAir.delete(stream.id);
    if (stream.streamer.live === stream) stream.streamer.live = undefined;
    this.#emit({ kind: "off_air", time: now, stream: stream.id });
  }

  #tick(stream: Stream, now: number): void {
    const switched = stream.tick();
    const viewers = stream.audience(now);
    if (switched || viewers !== stream.published) {
      stream.published = viewers;
      const news = switched ? { category: stream.categoryName, tags: tagsOf(stream.topics) } : {};
      this.#emit({ kind: "update", time: now, stream: stream.id, viewers, ...news });
    }
    if (now + TICK < stream.end) this.#at(now + TICK, (then) => this.#tick(stream, then));
  }

  #session(viewer: Viewer, now: number): void {
    if (viewer.sessions === 0) this.#introduce(viewer, now);
    viewer.arrive(Random.named(this.#options.seed, "session", viewer.index, viewer.sessions));
    this.metrics.session(viewer.leftAt, now);
    if (this.#causes.has("friends")) this.#followFriends(viewer, now);
    this.#want(viewer, now);
  }

  #followFriends(viewer: Viewer, now: number): void {
    for (const { id, streamer } of this.#causes.newlyFollowed(viewer, this.onAir.values())) {
      if (viewer.follows(streamer)) continue;
      viewer.followFriends(streamer);
      this.#emit({ kind: "follow", time: now, user: viewer.id, stream: id });
    }
  }

  /** Sends the attributes and the friendships of a viewer who comes for the first time. */
  #introduce(viewer: Viewer, now: number): void {
    const { age, gender, region, language, device } = viewer.traits;
    this.#emit({ kind: "user", time: now, user: viewer.id, age, gender, region, language, device });
    for (const friend of this.#newFriends(viewer)) {
      this.#emit({ kind: "friend", time: now, user: viewer.id, friend: friend.id });
    }
  }

  /**
   * The friends whom a viewer who comes for the first time names: each friendship is sent once. Of first viewers the one
   * names it who made it; that of a newcomer is named by whoever of the two comes later.
   */
  #newFriends(viewer: Viewer): Viewer[] {
    const isFirst = ({ index }: Viewer) => index < this.#options.viewers;
    const made = isFirst(viewer) ? this.#made[viewer.index]!.map((place) => this.viewers[place]!).filter(isFirst) : [];
    const here = viewer.friends.filter((friend) => friend.sessions > 0 && !(isFirst(viewer) && isFirst(friend)));
    return [...made, ...here];
  }

  /** The viewer wants something to watch: a favourite who is on air, or what the host shows. */
  #want(viewer: Viewer, now: number): void {
    viewer.wants++;
    const random = Random.named(this.#options.seed, "home", viewer.index, viewer.sessions, viewer.wants);
    const favourite = viewer.seek(now, random);
    if (favourite) this.#visit(viewer, favourite, undefined, now, random);
    else this.#host.onRequest(viewer, now);
  }

  /** @param decision - The decision that showed the stream; undefined where the viewer went there without a slate. */
  #visit(viewer: Viewer, stream: Stream, decision: Id | undefined, now: number, random: Random): void {
    const user = viewer.id;
    const source = decision === undefined ? {} : { decision };
    this.#emit({ kind: "click", time: now, user, stream: stream.id, ...source });
    const { outcome, wantedMs } = viewer.visit(stream, now, random);
    const isRepeat = viewer.knows(stream.streamer);
    this.metrics.click({ outcome, isRepeat, isShown: decision !== undefined }, now);
    viewer.watching = stream;
    stream.watchers++;
    const end = Math.min(stream.end, now + Math.max(1, Math.round(wantedMs)));
    this.#interact(viewer, stream, outcome, now, end - now, random);
    const isLost = this.#beats(viewer, stream, source, now, end);
    this.#at(end, (then) => {
      viewer.watching = undefined;
      stream.watchers--;
      const watchMs = then - now;
      viewer.leave(stream, outcome, watchMs, then, random);
      this.metrics.watch(stream.streamer, watchMs, then);
      if (!isLost) this.#emit({ kind: "watch", time: then, user, stream: stream.id, watchMs, ...source });
      this.#goOn(viewer, then, random, "visit");
    });
  }

  /** Sends the heartbeats of a visit. Returns whether its end gets lost. */
  #beats(viewer: Viewer, stream: Stream, source: { decision?: Id }, now: number, end: number): boolean {
    const { heartbeats, seed } = this.#options;
    if (!heartbeats) return false;
    const { everyMs, lostEnds = 0 } = heartbeats;
    const beat = (time: number) => {
      this.#emit({ kind: "heartbeat", time, user: viewer.id, stream: stream.id, watchMs: time - now, ...source });
      if (time + everyMs < end) this.#at(time + everyMs, beat);
    };
    if (now + everyMs < end) this.#at(now + everyMs, beat);
    return Random.named(seed, "lost", viewer.index, viewer.sessions, viewer.wants).bernoulli(lostEnds);
  }

  /** Draws what the viewer does during a visit, and when. */
  #interact(viewer: Viewer, stream: Stream, outcome: Outcome, now: number, watchMs: number, random: Random): void {
    const user = viewer.id;
    const act = (kind: "like" | "comment" | "share" | "follow" | "dislike", chance: number) => {
      const happens = random.bernoulli(chance);
      const time = now + Math.floor(random.uniform() * watchMs);
      if (!happens) return;
      this.#at(time, () => {
        if (kind === "follow") viewer.follow(stream.streamer, time);
        this.#emit({ kind, time, user, stream: stream.id });
      });
    };
    if (outcome === "bounce") {
      act("dislike", DISLIKES * stream.streamer.clickbait);
      return;
    }
    act("like", LIKES);
    act("comment", COMMENTS);
    act("share", SHARES);
    act("follow", viewer.follows(stream.streamer) ? 0 : 1 - exp((-FOLLOWS_PER_HOUR * watchMs) / HOUR));
    this.#rate(viewer, stream, now + watchMs, random);
    if (!random.bernoulli(GIFTS * viewer.devotion(stream.streamer))) return;
    viewer.give(stream.streamer);
    const part = random.bernoulli(GIFTS_EARLY) ? 0.1 : 1;
    const time = now + Math.floor(part * random.uniform() * watchMs);
    const amount = giftAmount(viewer.purse, random);
    this.#at(time, () => this.#emit({ kind: "gift", time, user, stream: stream.id, amount }));
  }

  /** Now and then a viewer rates the visit. */
  #rate(viewer: Viewer, stream: Stream, time: number, random: Random): void {
    const happens = random.bernoulli(RATINGS);
    const noise = RATING_NOISE * random.normal();
    if (!happens) return;
    const { quality } = stream.streamer;
    const judged = RATING_BASE + RATING_OF_QUALITY * quality + RATING_OF_MATCH * viewer.match(stream) + noise;
    const rating = Math.round(Math.min(1, Math.max(0, judged)) * 10) / 10;
    this.#at(time, () => this.#emit({ kind: "rating", time, user: viewer.id, stream: stream.id, rating }));
  }

  /** After a slate without a click, or a visit: the next request, or the end of the session and later the next one. */
  #goOn(viewer: Viewer, now: number, random: Random, after: "slate" | "visit"): void {
    const look = Math.ceil(lognormal(random, LOOK_MEDIAN, LOOK_SIGMA));
    const stays = viewer.temper > 0;
    if (after === "slate") {
      const seen = { user: viewer.id, dwellMs: look, page: HOME_PAGE };
      this.#at(now + look, (time) => this.#emit({ kind: "page_view", time, ...seen }));
    }
    if (stays) {
      this.#at(now + look, (then) => this.#want(viewer, then));
      return;
    }
    viewer.leftAt = now;
    const draw = Random.named(this.#options.seed, "gap", viewer.index, viewer.sessions);
    const gap = exponential(draw, viewer.meanGap(now));
    if (gap <= viewer.churnsAfter) {
      this.#at(afterActivity(now, gap), (then) => this.#session(viewer, then));
      return;
    }
    viewer.isGone = true;
    // Not before the loss is sure: a policy that loses viewers must not be paid with new ones at once.
    if (this.#options.newcomers) this.#at(now + viewer.churnsAfter, (then) => this.#replace(viewer, then));
  }
}

/** Mostly small change, now and then a fortune. */
function giftAmount(purse: number, random: Random): number {
  const isOne = random.bernoulli(GIFT_ONE);
  const amount = Math.round(purse * lognormal(random, GIFT_MEDIAN, GIFT_SIGMA));
  return isOne ? 1 : Math.min(GIFT_MAX, Math.max(2, amount));
}
