import { DAY, type Decision, HOUR, type Id, type LiveEvent, type Policy } from "../protocol/index.js";
import type { PlatformMetrics, SimulationResult } from "./world/metrics.js";
import { type PlatformOptions, platformOptions } from "./world/options.js";
import type { Stream } from "./world/streamers.js";
import type { Viewer } from "./world/viewers.js";
import { World } from "./world/world.js";

/** What is behind the platform: only for oracles and tests, never for a policy that is to be judged. */
export interface Latents {
  viewer(id: Id): Viewer;
  /** The streams on air. */
  streams(): Iterable<Stream>;
}

/** A policy, or what makes one that sees the latents. */
export type PolicyOrOracle = Policy | ((latents: Latents) => Policy);

/** Told of what happens. */
export interface PlatformHooks {
  /** Called with every event, after the policy has seen it. */
  onEvent?(event: LiveEvent): void;
  /**
   * Called with every decision, before the impressions that name it: the slate, and the probability of each of its
   * streams, which no event carries. A log for off-policy evaluation keeps both, decisions beside events.
   */
  onDecision?(decision: Decision): void;
}

export interface SimulationHooks extends PlatformHooks {
  /** Ends the run between two simulated hours; `simulate` then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called after every simulated hour. */
  onProgress?(fraction: number, day: number, metrics: PlatformMetrics): void;
}

/**
 * A live platform: streamers come and go by their own schedules, or by one that is given; viewers open it, look, click,
 * stay or leave. One policy decides what they see, but for the favourites to whom they go by themselves: those clicks
 * and watches name no decision. The run is a pure function of the options and of what the policy does.
 */
export class Platform implements Latents {
  readonly options: Readonly<PlatformOptions>;
  readonly #policy: Policy;
  readonly #hooks: PlatformHooks;
  readonly #world: World;
  readonly #viewerById = new Map<Id, Viewer>();

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(policy: PolicyOrOracle, options: Partial<PlatformOptions> = {}, hooks: PlatformHooks = {}) {
    this.options = platformOptions(options);
    this.#hooks = hooks;
    this.#policy = typeof policy === "function" ? policy(this) : policy;
    this.#world = new World(this.options, {
      ask: (viewer, now) => this.#answer(viewer, now),
      hear: (event) => {
        this.#policy.feedback(event);
        this.#hooks.onEvent?.(event);
      },
    });
    for (const viewer of this.#world.viewers) this.#viewerById.set(viewer.id, viewer);
  }

  /** How far the run has come, milliseconds since its start. */
  get now(): number {
    return this.#world.now;
  }

  viewer(id: Id): Viewer {
    const viewer = this.#viewerById.get(id);
    if (viewer === undefined) throw new RangeError(`no viewer ${JSON.stringify(id)}`);
    return viewer;
  }

  streams(): Iterable<Stream> {
    return this.#world.onAir.values();
  }

  /** Runs until a time in milliseconds, or to the end of the last day. */
  advance(until: number): void {
    this.#world.advance(until);
  }

  /** What has come out so far; takes O(1). */
  metrics(): PlatformMetrics {
    return this.#world.metrics.soFar(this.now);
  }

  /** What has come out so far, with all that takes time to compute. */
  result(): SimulationResult {
    const { viewers, metrics } = this.#world;
    let satisfaction = 0;
    for (const viewer of viewers) satisfaction += viewer.satisfaction;
    return metrics.result(this.now, satisfaction / viewers.length);
  }

  #answer(viewer: Viewer, now: number): void {
    const decision = this.#policy.recommend({ user: viewer.id, now, k: this.options.slate });
    const slate = this.#slateOf(decision, now);
    this.#hooks.onDecision?.(decision);
    this.#world.show(viewer, slate, decision.id, now);
  }

  /** The streams of a decision, after a check that all can be shown. */
  #slateOf(decision: Decision, now: number): Stream[] {
    const who = `policy ${JSON.stringify(this.#policy.name)}`;
    const { slate } = decision;
    if (slate.length > this.options.slate) {
      throw new Error(`${who} recommended ${slate.length} streams where ${this.options.slate} were asked for`);
    }
    return slate.map((id, position) => {
      const stream = this.#world.onAir.get(id);
      if (stream === undefined) throw new Error(`${who} recommended ${JSON.stringify(id)}, not on air at ${now} ms`);
      if (slate.indexOf(id) !== position)
        throw new Error(`${who} recommended ${JSON.stringify(id)} twice at ${now} ms`);
      return stream;
    });
  }
}

/**
 * Runs a policy on a live platform and says what came of it.
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
  const platform = new Platform(policy, options, hooks);
  const end = platform.options.days * DAY;
  for (let hour = HOUR; hour <= end; hour += HOUR) {
    hooks.signal?.throwIfAborted();
    platform.advance(hour);
    hooks.onProgress?.(hour / end, hour / DAY, platform.metrics());
  }
  return platform.result();
}

/**
 * The events of a run in order of time, as they come: a source for whatever reads a log.
 *
 * Takes the memory of one simulated hour of events; a run can be left at any time.
 *
 * @param onDecision - Called with every decision, before the first event that names it is given out.
 * @throws As `simulate` does.
 */
export function* simulatedEvents(
  policy: PolicyOrOracle,
  options: Partial<PlatformOptions> = {},
  onDecision: (decision: Decision) => void = () => {},
): Generator<LiveEvent, void> {
  const events: LiveEvent[] = [];
  const platform = new Platform(policy, options, { onEvent: (event) => events.push(event), onDecision });
  const end = platform.options.days * DAY;
  for (let hour = HOUR; hour <= end; hour += HOUR) {
    platform.advance(hour);
    yield* events;
    events.length = 0;
  }
}
