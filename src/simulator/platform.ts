import { DAY, type Decision, HOUR, type Id, type LiveEvent, type Policy } from "../protocol/index.js";
import type { PlatformMetrics, SimulationResult } from "./world/metrics.js";
import { type PlatformOptions, platformOptions } from "./world/options.js";
import type { Stream } from "./world/streamers.js";
import type { Viewer } from "./world/viewers.js";
import { World } from "./world/world.js";

/** The hidden state of a platform: only for oracles, benchmarks and tests, never for a policy under test. */
export interface PlatformLatents {
  /** @throws RangeError for an unknown id, or that of a viewer whose place a newcomer has. */
  viewer(id: Id): Viewer;
  /** The streams on air. */
  streams(): Iterable<Stream>;
  /**
   * Whether a stream on air fits a viewer now by every cause in `causes`; true where there is none.
   * @throws RangeError for an unknown viewer, or a stream that is not on air.
   */
  fits(viewer: Id, stream: Id): boolean;
}

/** A policy, or a function that makes one from the hidden state. */
export type PolicyOrOracle = Policy | ((latents: PlatformLatents) => Policy);

/** Callbacks of a run. */
export interface PlatformHooks {
  /** Called with every event, after the policy has seen it. */
  onEvent?(event: LiveEvent): void;
  /**
   * Called with every decision, before the impressions that name it. A log for off-policy evaluation keeps decisions
   * beside events, as no event carries propensities.
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
 * A live platform: streamers come and go by their own schedules, or by a given one; viewers open it, look, click, stay or
 * leave. One policy chooses the slates. Viewers also go to favourites by themselves: those clicks and watches name no
 * decision. The run is a pure function of the options and the policy.
 */
export class Platform implements PlatformLatents {
  readonly options: Readonly<PlatformOptions>;
  readonly #policy: Policy;
  readonly #hooks: PlatformHooks;
  readonly #world: World;

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(policy: PolicyOrOracle, options: Partial<PlatformOptions> = {}, hooks: PlatformHooks = {}) {
    this.options = platformOptions(options);
    this.#hooks = hooks;
    this.#policy = typeof policy === "function" ? policy(this) : policy;
    this.#world = new World(this.options, {
      onRequest: (viewer, now) => this.#answer(viewer, now),
      onEvent: (event) => {
        this.#policy.feedback(event, event.time);
        this.#hooks.onEvent?.(event);
      },
    });
  }

  /** Simulated time, milliseconds since the start of the run. */
  get now(): number {
    return this.#world.now;
  }

  viewer(id: Id): Viewer {
    return this.#world.viewer(id);
  }

  streams(): Iterable<Stream> {
    return this.#world.onAir.values();
  }

  fits(viewer: Id, stream: Id): boolean {
    const onAir = this.#world.onAir.get(stream);
    if (onAir === undefined) throw new RangeError(`no stream ${JSON.stringify(stream)} on air`);
    return this.viewer(viewer).fits(onAir);
  }

  /** Runs until a time in milliseconds, or to the end of the last day. */
  advance(until: number): void {
    this.#world.advance(until);
  }

  /** The metrics so far; takes O(1). */
  metrics(): PlatformMetrics {
    return this.#world.metrics.soFar(this.now);
  }

  /** The metrics so far, with those that take time in proportion to the run. */
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
 * Runs a policy on a live platform and returns the metrics.
 *
 * @param policy - Receives every event in order of time, and recommends `slate` streams at every request.
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
 * The events of a run, one by one in order of time, wherever a log is read.
 *
 * Holds one simulated hour of events in memory; a caller can stop at any time.
 *
 * @param onDecision - Called with every decision, before the generator yields the first event that names it.
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
