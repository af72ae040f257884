import { checked, oneOf, type Rules } from "../check/index.js";
import { log1p } from "../numeric/index.js";
import { DAY, type LiveEvent, MINUTE } from "../protocol/index.js";
import { type FeatureGroup, featureGroups } from "../recommender/features/index.js";
import { candidateCount, SCENE_DEFAULTS, type SceneOptions, Scenes } from "../recommender/retrieval/index.js";
import type { CatalogStream } from "../recommender/state/index.js";
import type { Environment, StepResult } from "../training/index.js";
import { type PlatformOptions, platformOptions } from "./world/options.js";
import type { Stream } from "./world/streamers.js";
import type { Viewer } from "./world/viewers.js";
import { World } from "./world/world.js";

/** World, features and reward of a `LiveEnvironment`. */
export interface LiveEnvironmentOptions extends Pick<PlatformOptions, "days" | "schedule"> {
  /** Number of streamers at the start, in [1, 100000]; must not be given with `schedule`. Default 300. */
  streamers?: number;
  /** Largest number of candidates at a request, in [1, 65536]; of more streams on air, retrieval chooses. Default 64. */
  maxCandidates: number;
  /** Reward of a step: log(1 + minutes watched until the next request), or the minutes. Default `log1p`. */
  reward: "log1p" | "minutes";
  /** Groups of features of observations and candidates, as in a recommender's options. Default: the recommender's. */
  features: readonly FeatureGroup[];
}

const STREAMERS = 300;
const DEFAULTS: LiveEnvironmentOptions = {
  days: 14,
  maxCandidates: 64,
  reward: "log1p",
  features: SCENE_DEFAULTS.features,
};

const TABLE: Rules<LiveEnvironmentOptions> = {
  // `platformOptions` checks these.
  streamers: [() => true, ""],
  days: [() => true, ""],
  schedule: [() => true, ""],
  maxCandidates: candidateCount,
  reward: oneOf("log1p", "minutes"),
  features: featureGroups,
};

/** An episode so far: repeating the actions in the same world restores it. */
interface SavedLife {
  seed: number;
  actions: number[];
}

/** One episode. */
class Life {
  readonly seed: number;
  readonly actions: number[] = [];
  observation = new Float32Array(0);
  /** The streams to choose from, and a row for each; empty when the episode is over. */
  streams: readonly CatalogStream[] = [];
  rows = new Float32Array(0);
  readonly #world: World;
  readonly #viewer: Viewer;
  readonly #scenes: Scenes;
  readonly #end: number;
  /** Whether the world has stopped at a request of the viewer. */
  #isAsked = false;
  #decisions = 0;
  /** Milliseconds watched so far. */
  #watchedMs = 0;

  constructor(platform: PlatformOptions, known: SceneOptions) {
    this.seed = platform.seed;
    this.#scenes = new Scenes(known);
    this.#end = platform.days * DAY;
    this.#world = new World(platform, {
      onRequest: () => {
        this.#isAsked = true;
      },
      onEvent: (event) => this.#take(event),
    });
    this.#viewer = this.#world.viewers[0]!;
    this.#goOn();
  }

  get isGone(): boolean {
    return this.#viewer.isGone;
  }

  /** Shows one of `streams`, runs to the next request, and returns the minutes watched until then. */
  show(action: number): number {
    const chosen = this.streams[action];
    if (chosen === undefined) {
      throw new RangeError(`"action" must be an index below ${this.streams.length}, got ${action}`);
    }
    this.actions.push(action);
    const before = this.#watchedMs;
    this.#scenes.state.shown(this.#viewer.id, [chosen], this.#world.now);
    this.#answer([this.#world.onAir.get(chosen.id)!]);
    this.#goOn();
    return (this.#watchedMs - before) / MINUTE;
  }

  #take(event: LiveEvent): void {
    if (event.kind === "watch") this.#watchedMs += event.watchMs;
    // `show` has counted every impression already.
    if (event.kind !== "impression") this.#scenes.feedback(event);
  }

  #answer(slate: Stream[]): void {
    this.#isAsked = false;
    this.#world.show(this.#viewer, slate, `life-${this.#decisions++}`, this.#world.now);
  }

  /** Runs to the next request at which there is a choice, or to the end. */
  #goOn(): void {
    for (;;) {
      this.#world.advance(this.#end, () => this.#isAsked || this.#viewer.isGone);
      if (!this.#isAsked || this.#scenes.state.catalogue.size > 0) break;
      this.#answer([]);
    }
    this.#write();
  }

  #write(): void {
    const { streams, observation, candidates } = this.#scenes.face({ user: this.#viewer.id, now: this.#world.now });
    this.observation = observation.slice();
    this.streams = this.#isAsked ? [...streams] : [];
    this.rows = this.#isAsked ? candidates.slice() : new Float32Array(0);
  }
}

/**
 * One viewer's life on a live platform: at each request the streams on air are the candidates, the action chooses the one
 * to show, and the reward is how long the viewer watches until the next request.
 *
 * Each seed is another world with another viewer. An episode terminates when the viewer leaves for good, and is truncated
 * after `days`. Observations and candidates are the recommender's features: `observationSize` and `features` numbers.
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
  readonly observationSize: number;
  /** Numbers in a candidate's row. */
  readonly features: number;
  readonly #platform: PlatformOptions;
  readonly #known: SceneOptions;
  #seed = -1;
  #life: Life | undefined;

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(options: Partial<LiveEnvironmentOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { schedule, days, maxCandidates, features, streamers = schedule ? undefined : STREAMERS } = this.options;
    this.#platform = platformOptions({
      ...(schedule && { schedule }),
      ...(streamers !== undefined && { streamers }),
      days,
      viewers: 1,
      slate: 1,
      // The life of one viewer: it ends when that one leaves.
      newcomers: false,
    });
    this.#known = { ...SCENE_DEFAULTS, maxCandidates, features };
    ({ observationSize: this.observationSize, candidateSize: this.features } = new Scenes(this.#known).features);
  }

  /**
   * Starts an episode at the viewer's first request, and skips seeds whose viewer never makes one.
   *
   * @param seed - Seed of the world and the viewer, a safe integer >= 0. Default: one more than the last.
   */
  reset(seed: number = this.#seed + 1): ArrayLike<number> {
    let life = this.#begin(seed);
    while (life.streams.length === 0) life = this.#begin(life.seed + 1);
    this.#life = life;
    this.#seed = life.seed;
    return life.observation;
  }

  /**
   * Shows a stream and runs to the viewer's next request.
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

  /** (n, features): a row for each stream on air, or for the retrieved ones; empty after the last step. */
  candidates(): ArrayLike<number> {
    return this.#life?.rows ?? [];
  }

  /** The streams of the rows of `candidates`, in the same order. */
  get streams(): readonly CatalogStream[] {
    return this.#life?.streams ?? [];
  }

  /** The seed and the actions so far; `restore` repeats them, in the time that the episode took. */
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

  /** @throws RangeError for an invalid seed. */
  #begin(seed: number): Life {
    platformOptions({ seed });
    return new Life({ ...this.#platform, seed }, this.#known);
  }
}

/** Checks a saved episode; seed -1 means that none has begun. */
function savedLife(state: unknown): SavedLife {
  const { seed, actions } = (state ?? {}) as Partial<SavedLife>;
  const isInteger = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least;
  if (!isInteger(seed, -1) || !Array.isArray(actions) || !actions.every((action) => isInteger(action, 0))) {
    throw new TypeError('the state must be { seed, actions }, as "state" gave it');
  }
  return { seed: seed!, actions };
}
