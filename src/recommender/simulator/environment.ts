import type { Environment, StepResult } from "../../environment/index.js";
import { log1p } from "../../math.js";
import { checked, integer, oneOf, type Rules } from "../../options.js";
import { Catalog, type CatalogStream } from "../catalog.js";
import { Contents } from "../content.js";
import { DAY, MINUTE } from "../decay.js";
import type { FeedbackEvent, Id, LiveEvent } from "../events.js";
import { candidateSize, Features, observationSize } from "../features.js";
import { Profiles, type StreamTraits } from "../profile.js";
import { favouritesOf, Retriever } from "../retrieval.js";
import { CollaborativeVectors } from "../vectors.js";
import { type PlatformOptions, platformOptions } from "./options.js";
import type { Stream } from "./streamers.js";
import type { Viewer } from "./viewers.js";
import { World } from "./world.js";

/** Which life is led, and what it is worth. */
export interface LiveEnvironmentOptions extends Pick<PlatformOptions, "days" | "schedule"> {
  /** Streamers at the start, in [1, 100000]; not with `schedule`. Default 300. */
  streamers?: number;
  /** Streams offered at a request, at most; more on air are retrieved first. [1, 65536]. Default 64. */
  maxCandidates: number;
  /** Reward of a step: log(1 + minutes watched until the next request), or those minutes. Default `log1p`. */
  reward: "log1p" | "minutes";
}

const STREAMERS = 300;
const DEFAULTS: LiveEnvironmentOptions = { days: 14, maxCandidates: 64, reward: "log1p" };

const TABLE: Rules<LiveEnvironmentOptions> = {
  // `platformOptions` says what these must be.
  streamers: [() => true, ""],
  days: [() => true, ""],
  schedule: [() => true, ""],
  maxCandidates: integer(1, 65_536),
  reward: oneOf("log1p", "minutes"),
};

/** An episode up to now: the same actions in the same world lead there again. */
interface SavedLife {
  seed: number;
  actions: number[];
}

/** What is known of the viewer and of what is on air, by the events alone. */
class Knowledge {
  readonly catalog = new Catalog();
  readonly profiles = new Profiles();
  readonly features = new Features({
    profiles: this.profiles,
    vectors: new CollaborativeVectors(),
    contents: new Contents(0),
  });
  readonly retriever = new Retriever(this.catalog);
  /** Milliseconds watched so far. */
  watchedMs = 0;
  /** What was clicked last: a watch that the stream's end cuts is told after the stream has gone. */
  #clicked: { stream: Id; traits: StreamTraits } | undefined;

  hear(event: LiveEvent): void {
    if ("user" in event && "stream" in event) this.#heed(event);
    this.catalog.feedback(event);
  }

  #heed(event: FeedbackEvent): void {
    const { user, time } = event;
    const clicked = this.#clicked?.stream === event.stream ? this.#clicked.traits : undefined;
    const traits = this.catalog.get(event.stream) ?? clicked;
    if (traits === undefined) return;
    switch (event.kind) {
      case "impression":
        break;
      case "click":
        this.#clicked = { stream: event.stream, traits };
        this.profiles.click(user, traits, time);
        break;
      case "watch":
        this.watchedMs += event.watchMs;
        this.profiles.watch(user, traits, event.watchMs, !this.catalog.has(event.stream), time);
        break;
      case "rating":
        this.profiles.interact(user, traits, event.rating < 0.5, time);
        break;
      default:
        this.profiles.interact(user, traits, event.kind === "dislike", time);
    }
  }
}

/** One episode. */
class Life {
  readonly seed: number;
  readonly actions: number[] = [];
  readonly observation = new Float32Array(observationSize);
  /** The streams to choose from, and a row for each; none when the life is over. */
  streams: readonly CatalogStream[] = [];
  rows = new Float32Array(0);
  readonly #world: World;
  readonly #viewer: Viewer;
  readonly #knowledge = new Knowledge();
  readonly #maxCandidates: number;
  readonly #end: number;
  /** The world has stopped, as the viewer wants to be shown something. */
  #isAsked = false;
  #decisions = 0;

  constructor(platform: PlatformOptions, maxCandidates: number) {
    this.seed = platform.seed;
    this.#maxCandidates = maxCandidates;
    this.#end = platform.days * DAY;
    this.#world = new World(platform, {
      ask: () => {
        this.#isAsked = true;
      },
      hear: (event) => this.#knowledge.hear(event),
    });
    this.#viewer = this.#world.viewers[0]!;
    this.#goOn();
  }

  get isGone(): boolean {
    return this.#viewer.isGone;
  }

  /** Shows one of `streams`, goes on to the next request, and answers the minutes watched until then. */
  show(action: number): number {
    const chosen = this.streams[action];
    if (chosen === undefined) {
      throw new RangeError(`"action" must be an index below ${this.streams.length}, got ${action}`);
    }
    this.actions.push(action);
    const before = this.#knowledge.watchedMs;
    this.#knowledge.profiles.shown(this.#viewer.id, [chosen], this.#world.now);
    this.#answer([this.#world.onAir.get(chosen.id)!]);
    this.#goOn();
    return (this.#knowledge.watchedMs - before) / MINUTE;
  }

  #answer(slate: Stream[]): void {
    this.#isAsked = false;
    this.#world.show(this.#viewer, slate, `life-${this.#decisions++}`, this.#world.now);
  }

  /** Runs to the next request at which there is a choice, or to the end. */
  #goOn(): void {
    for (;;) {
      this.#world.advance(this.#end, () => this.#isAsked || this.#viewer.isGone);
      if (!this.#isAsked || this.#knowledge.catalog.size > 0) break;
      this.#answer([]);
    }
    this.#write();
  }

  #write(): void {
    const { catalog, profiles, features, retriever } = this.#knowledge;
    const { now } = this.#world;
    const user = this.#viewer.id;
    const profile = profiles.open(user, now);
    const query = { user, now, max: this.#maxCandidates, favourites: favouritesOf(profile) };
    const streams = this.#isAsked ? [...retriever.retrieve(query).streams] : [];
    let viewersMax = 0;
    for (const stream of streams) viewersMax = Math.max(viewersMax, stream.viewers);
    features.begin(user, profile, { now, onAir: catalog.size, viewersMax });
    features.writeObservation(this.observation, 0);
    this.rows = new Float32Array(streams.length * candidateSize);
    streams.forEach((stream, i) => {
      features.write(this.rows, i * candidateSize, stream);
    });
    this.streams = streams;
  }
}

/**
 * One viewer's life on a live platform: at each request the streams on air are the candidates, the action is the one that
 * is shown, and the reward is how long the viewer then watches until the next request.
 *
 * An episode is another world and another viewer for each seed. It terminates when the viewer is lost, and is truncated
 * after `days`. Observations and candidates are the recommender's features: `observationSize` and `candidateSize` numbers.
 *
 * ```ts
 * const environment = new LiveEnvironment();
 * const candidates = { max: environment.options.maxCandidates, features: environment.features };
 * const agent = new DQN({ observation: environment.observationSize, candidates, gamma: 0.9 });
 * await train(agent, [environment], { steps: 20_000 });
 * ```
 */
export class LiveEnvironment implements Environment {
  readonly options: Readonly<LiveEnvironmentOptions>;
  readonly observationSize = observationSize;
  /** Numbers in a candidate's row. */
  readonly features = candidateSize;
  readonly #platform: PlatformOptions;
  #seed = -1;
  #life: Life | undefined;

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(options: Partial<LiveEnvironmentOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { schedule, days, streamers = schedule ? undefined : STREAMERS } = this.options;
    this.#platform = platformOptions({
      ...(schedule && { schedule }),
      ...(streamers !== undefined && { streamers }),
      days,
      viewers: 1,
      slate: 1,
    });
  }

  /**
   * Starts the life of a viewer; the first state is the first request. Lives without one are passed over.
   *
   * @param seed - Of the world and the viewer, a safe integer >= 0. Default: one more than the last.
   */
  reset(seed: number = this.#seed + 1): ArrayLike<number> {
    let life = this.#begin(seed);
    while (life.streams.length === 0) life = this.#begin(life.seed + 1);
    this.#life = life;
    this.#seed = life.seed;
    return life.observation;
  }

  /**
   * Shows a stream and goes on to the viewer's next request.
   * @param action - Index of a row of `candidates`.
   */
  step(action: number): StepResult {
    const life = this.#life;
    if (life === undefined || life.streams.length === 0) {
      throw new Error("the episode is over, or has not begun: call reset");
    }
    const minutes = life.show(action);
    const reward = this.options.reward === "log1p" ? log1p(minutes) : minutes;
    const terminated = life.isGone;
    const truncated = !terminated && life.streams.length === 0;
    return { observation: life.observation, reward, terminated, truncated };
  }

  /** (n, features): the streams on air, or the retrieved of them; empty after the last step. */
  candidates(): ArrayLike<number> {
    return this.#life?.rows ?? [];
  }

  /** What the rows of `candidates` are of. */
  get streams(): readonly CatalogStream[] {
    return this.#life?.streams ?? [];
  }

  /** The seed and the actions so far: `restore` takes them again, in the time that the episode took. */
  state(): SavedLife {
    return { seed: this.#seed, actions: [...(this.#life?.actions ?? [])] };
  }

  restore(state: unknown): void {
    const { seed, actions } = savedLife(state);
    const life = seed < 0 ? undefined : this.#begin(seed);
    for (const action of actions) {
      if (life === undefined || action >= life.streams.length) {
        throw new TypeError("the state is not of an environment with these options");
      }
      life.show(action);
    }
    this.#seed = seed;
    this.#life = life;
  }

  /** @throws RangeError for a seed that is none. */
  #begin(seed: number): Life {
    platformOptions({ seed });
    return new Life({ ...this.#platform, seed }, this.options.maxCandidates);
  }
}

/** -1: no episode has begun. */
function savedLife(state: unknown): SavedLife {
  const { seed, actions } = (state ?? {}) as Partial<SavedLife>;
  const isInteger = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least;
  if (!isInteger(seed, -1) || !Array.isArray(actions) || !actions.every((action) => isInteger(action, 0))) {
    throw new TypeError('the state must be { seed, actions }, as "state" gave it');
  }
  return { seed: seed!, actions };
}
