import { checked, integer, positiveInteger, type Rules, show } from "../check/index.js";
import type { AgentInput } from "../engine/index.js";
import { Random } from "../numeric/index.js";
import {
  type AnyEnvironment,
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  type ContinuousEnvironment,
  type Environment,
  isLater,
  type Later,
  type StepResult,
} from "./environment.js";

/** How thoroughly an environment is checked. */
export interface CheckEnvironmentOptions {
  /** Steps to take by random actions, at least 1. Default 1000. */
  steps?: number;
  /** Of the first episode and of the actions, [0, 2^53 - 1]. Default 0. */
  seed?: number;
}

const RULES: Rules<CheckEnvironmentOptions> = { steps: positiveInteger, seed: integer(0, Number.MAX_SAFE_INTEGER) };

/** Largest number of an observation that agents take. */
const INPUT_MAX = 1e6;
/** Steps that are taken twice, to compare them. */
const COMPARED = 50;

/** As agents take them, see `ContinuousOptions.continuous`. */
const BOUND_MAX = 1e6;
const NUMBERS_MAX = 1024;

type Action = number | Float64Array;
/** Work that hands out each promise on its way, and goes on with what it resolves to. */
type Steps<T> = Generator<PromiseLike<unknown>, T, unknown>;
type Field = Readonly<Record<string, unknown>>;

/**
 * Looks for breaches of the interface by which agents are trained and evaluated: plays random episodes, and compares what
 * an environment returns with what it says of itself, with a second run from the same seed, and with a run that
 * was saved and restored. The environment is used: give one of its own.
 *
 * ```ts
 * const breaches = checkEnvironment(new MyEnvironment());
 * if (breaches.length > 0) throw new Error(breaches.join("\n"));
 * ```
 *
 * @returns A sentence for each breach, the first of its kind; empty if there is none.
 * @throws TypeError or RangeError for wrong options; nothing for what an environment does.
 */
export function checkEnvironment(
  environment: Environment<AgentInput> | ContinuousEnvironment,
  options: CheckEnvironmentOptions = {},
): string[] {
  const work = checking(environment, options);
  let next = work.next();
  while (!next.done) {
    // Nobody else waits for it.
    next.value.then(undefined, () => {});
    next = work.throw(PROMISE);
  }
  return next.value;
}

/**
 * The same for an environment whose `reset` and `step` may return promises.
 *
 * @throws TypeError or RangeError for wrong options; nothing for what an environment does.
 */
export async function checkEnvironmentAsync(
  environment: AsyncEnvironment<AgentInput> | AsyncContinuousEnvironment,
  options: CheckEnvironmentOptions = {},
): Promise<string[]> {
  const work = checking(environment, options);
  let next = work.next();
  while (!next.done) {
    const settled = await Promise.allSettled([next.value]);
    next = settled[0].status === "fulfilled" ? work.next(settled[0].value) : work.throw(settled[0].reason);
  }
  return next.value;
}

/** Stands for a promise that nobody may wait for. */
const PROMISE = new Error("a promise");

function checking(environment: AnyEnvironment, options: CheckEnvironmentOptions): Steps<string[]> {
  const { steps, seed } = checked<CheckEnvironmentOptions>(options, RULES, {
    steps: 1000,
    seed: 0,
  }) as Required<CheckEnvironmentOptions>;
  return new Check(environment).run(steps, seed);
}

/** What an environment did in a run: texts of observations and results, one for each call. */
type Trace = string[];

class Check {
  readonly #environment: AnyEnvironment;
  /** By kind, so that a breach that comes at every step is told once. */
  readonly #breaches = new Map<string, string>();

  constructor(environment: AnyEnvironment) {
    this.#environment = environment;
  }

  *run(steps: number, seed: number): Steps<string[]> {
    if (this.#describes()) {
      yield* this.#play(steps, seed);
      if (this.#breaches.size === 0) yield* this.#repeats(seed);
      if (this.#breaches.size === 0) yield* this.#restores(seed);
    }
    return [...this.#breaches.values()];
  }

  #say(kind: string, text: string): void {
    if (!this.#breaches.has(kind)) this.#breaches.set(kind, text);
  }

  /** Whether the environment says of itself what a run needs. */
  #describes(): boolean {
    const given = this.#environment as unknown;
    if (typeof given !== "object" || given === null) {
      this.#say("environment", `the environment must be an object, got ${show(given)}`);
      return false;
    }
    const { observationSize, actions, continuous, reset, step, candidates, mask, state, restore } = given as Field;
    for (const [name, method] of Object.entries({ reset, step })) {
      if (typeof method !== "function") this.#say(name, `"${name}" must be a method, got ${show(method)}`);
    }
    for (const [name, method] of Object.entries({ candidates, mask, state, restore })) {
      const isGood = method === undefined || typeof method === "function";
      if (!isGood) this.#say(name, `"${name}" must be a method or left out, got ${show(method)}`);
    }
    if ((state === undefined) !== (restore === undefined)) {
      const [has, lacks] = state ? ["state", "restore"] : ["restore", "state"];
      this.#say("state", `"${lacks}" must be there, as "${has}" is: a training is resumed by both`);
    }
    if (!Number.isSafeInteger(observationSize) || (observationSize as number) < 0) {
      this.#say("observationSize", `"observationSize" must be an integer >= 0, got ${show(observationSize)}`);
    }
    if (continuous !== undefined) this.#bounds(continuous);
    else if (candidates === undefined && !(Number.isSafeInteger(actions) && (actions as number) > 0)) {
      const instead = `, or there must be "candidates" or "continuous"`;
      this.#say("actions", `"actions" must be an integer >= 1, got ${show(actions)}${instead}`);
    }
    return this.#breaches.size === 0;
  }

  #bounds(continuous: unknown): void {
    const { low, high } = (continuous ?? {}) as { low?: ArrayLike<number>; high?: ArrayLike<number> };
    const n = low?.length ?? 0;
    const isList = typeof low === "object" && typeof high === "object" && n > 0 && high?.length === n;
    if (!isList) this.#say("continuous", '"continuous" must be { low, high }, two arrays of as many numbers');
    if (n > NUMBERS_MAX) this.#say("continuous", `"continuous.low" must hold at most ${NUMBERS_MAX} numbers, got ${n}`);
    for (let i = 0; isList && i < n; i++) {
      if (Math.abs(low![i]!) <= BOUND_MAX && Math.abs(high![i]!) <= BOUND_MAX && low![i]! < high![i]!) continue;
      const must = `below "continuous.high[${i}]", both in [-1e6, 1e6]`;
      this.#say("bounds", `"continuous.low[${i}]" must be ${must}, got ${show(low![i])} and ${show(high![i])}`);
    }
  }

  /** What a call returned; undefined, and a breach, for one that failed. Only `reset` and `step` may return promises. */
  *#called<T>(name: string, call: () => Later<T>): Steps<T | undefined> {
    const isPlain = name !== "reset" && name !== "step";
    try {
      const result = call();
      if (!isLater(result)) return result;
      if (isPlain) result.then(undefined, () => {});
      else return (yield result) as T;
    } catch (error) {
      if (error !== PROMISE) {
        this.#say(`${name} throws`, `"${name}" must not throw here: ${String(error)}`);
        return undefined;
      }
    }
    const instead = isPlain ? "" : ": call checkEnvironmentAsync, and evaluateAsync in place of evaluate";
    this.#say(name, `"${name}" must return its result at once, got a promise${instead}`);
    return undefined;
  }

  *#play(steps: number, seed: number): Steps<void> {
    const random = new Random(seed);
    let isOver = true;
    for (let i = 0, episode = 0; i < steps && this.#breaches.size === 0; i++) {
      if (isOver) yield* this.#reset(seed + episode++);
      if (this.#breaches.size > 0) return;
      const action = yield* this.#draw(random);
      if (action === undefined) return;
      isOver = yield* this.#step(action, `step ${i + 1}`);
    }
  }

  /** Starts an episode and checks its observation; returns that as text. */
  *#reset(seed?: number): Steps<string> {
    const observation = yield* this.#called<AgentInput>("reset", () => this.#environment.reset(seed));
    if (this.#breaches.size === 0) this.#observation(observation, "reset");
    return this.#textOf(observation);
  }

  /** Takes a step and checks its result; returns whether the episode is over. */
  *#step(action: Action, where: string, trace?: Trace): Steps<boolean> {
    const given = typeof action === "number" ? action : action.slice();
    const result = yield* this.#called<StepResult<AgentInput>>("step", () => this.#environment.step(given as never));
    if (this.#breaches.size > 0) return true;
    if (String(given) !== String(action)) {
      this.#say("action", `"step" must not change the action that it is given, which is learned from (${where})`);
    }
    if (typeof result !== "object" || result === null) {
      this.#say("result", `"step" must return { observation, reward, terminated, truncated }, got ${show(result)}`);
      return true;
    }
    const { observation, reward, terminated, truncated } = result;
    this.#observation(observation, where);
    if (!Number.isFinite(reward))
      this.#say("reward", `"reward" must be a finite number, got ${show(reward)} (${where})`);
    for (const [name, flag] of Object.entries({ terminated, truncated })) {
      if (typeof flag !== "boolean") this.#say(name, `"${name}" must be true or false, got ${show(flag)} (${where})`);
    }
    trace?.push(`${this.#textOf(observation)} ${reward} ${terminated} ${truncated}`);
    return terminated || truncated;
  }

  #observation(observation: unknown, where: string): void {
    const { observationSize } = this.#environment;
    const isSparse = typeof (observation as { indices?: unknown } | null)?.indices === "object";
    const dense = isSparse ? ((observation as { dense?: unknown }).dense ?? []) : observation;
    const name = isSparse ? "observation.dense" : "observation";
    this.#numbers(name, dense, observationSize, where);
    if (!isSparse) return;
    const { indices, weights } = observation as { indices: ArrayLike<number>; weights?: ArrayLike<number> };
    const wrong = Array.from(indices).findIndex((index) => !Number.isInteger(index) || index < -1);
    if (wrong >= 0) {
      const must = "an integer >= 0, or -1 for none";
      this.#say("indices", `"observation.indices[${wrong}]" must be ${must}, got ${show(indices[wrong])} (${where})`);
    }
    if (weights) this.#numbers("observation.weights", weights, indices.length, where);
  }

  #numbers(name: string, given: unknown, length: number | undefined, where: string): void {
    const numbers = given as ArrayLike<number> | null | undefined;
    if (typeof numbers !== "object" || typeof numbers?.length !== "number") {
      this.#say(name, `"${name}" must be an array of numbers, got ${show(given)} (${where})`);
      return;
    }
    if (length !== undefined && numbers.length !== length) {
      this.#say(`${name} length`, `"${name}" must hold ${length} numbers, got ${numbers.length} (${where})`);
    }
    for (let i = 0; i < numbers.length; i++) {
      const x: unknown = numbers[i];
      if (typeof x === "number" && Math.abs(x) <= INPUT_MAX) continue;
      this.#say(name, `"${name}[${i}]" must be in [-1e6, 1e6], got ${show(x)} (${where})`);
      return;
    }
  }

  /** A random action that is available; undefined, and a breach, where there is none. */
  *#draw(random: Random): Steps<Action | undefined> {
    if ("continuous" in this.#environment) {
      const { low, high } = this.#environment.continuous;
      return Float64Array.from(low, (least, i) => least + (high[i]! - least) * random.uniform());
    }
    const { actions } = this.#environment;
    const environment = this.#environment;
    if (environment.candidates) {
      const offered = yield* this.#called("candidates", () => environment.candidates!());
      return this.#breaches.size > 0 ? undefined : this.#drawCandidate(offered, random);
    }
    if (!environment.mask) return random.below(actions!);
    const mask = yield* this.#called("mask", () => environment.mask!());
    if (this.#breaches.size > 0) return undefined;
    if (mask?.length !== actions) {
      this.#say("mask", `"mask" must hold ${actions} flags, got ${mask?.length ?? show(mask)}`);
      return undefined;
    }
    const free = Array.from({ length: actions! }, (_, i) => i).filter((i) => mask![i]);
    if (free.length > 0) return random.pick(free);
    this.#say("no action", '"mask" must offer an action as long as the episode goes on, got none');
    return undefined;
  }

  /** An index among as many candidates as rows of any width allow: the first where the width is not known. */
  #drawCandidate(offered: AgentInput | undefined, random: Random): number | undefined {
    const isSparse = typeof (offered as { indices?: unknown } | undefined)?.indices === "object";
    const dense = isSparse ? ((offered as { dense?: ArrayLike<number> }).dense ?? []) : offered;
    this.#numbers("candidates", dense, undefined, "candidates");
    if (this.#breaches.size > 0) return undefined;
    const { length } = isSparse ? (offered as { indices: ArrayLike<number> }).indices : (dense as ArrayLike<number>);
    if (length === 0) {
      this.#say("no candidate", '"candidates" must offer a row as long as the episode goes on, got none');
      return undefined;
    }
    const { features } = this.#environment as { features?: unknown };
    if (isSparse || !Number.isSafeInteger(features) || (features as number) < 1) return 0;
    const rows = length / (features as number);
    if (Number.isInteger(rows)) return random.below(rows);
    this.#say("candidates length", `"candidates" must be rows of ${features} numbers, got ${length} numbers`);
    return undefined;
  }

  #textOf(observation: unknown): string {
    const { dense, indices, weights } = (observation ?? {}) as Field;
    const parts = indices ? [dense ?? [], indices, weights ?? []] : [observation ?? []];
    return parts.map((part) => Array.from(part as ArrayLike<number>).join()).join(" ");
  }

  /** A run by random actions from where the environment is. */
  *#trace(random: Random): Steps<Trace> {
    const trace: Trace = [];
    let isOver = false;
    while (!isOver && trace.length < COMPARED) {
      const action = yield* this.#draw(random);
      if (action === undefined) break;
      isOver = yield* this.#step(action, "again", trace);
    }
    return trace;
  }

  /** The same seed and actions must give the same episode, and the same one after it. */
  *#repeats(seed: number): Steps<void> {
    const runs: Trace[] = [];
    const later: Trace[] = [];
    for (let i = 0; i < 2; i++) {
      const random = new Random(seed);
      runs.push([yield* this.#reset(seed), ...(yield* this.#trace(random))]);
      later.push([yield* this.#reset(), ...(yield* this.#trace(random))]);
    }
    this.#compare(runs[0]!, runs[1]!, `"reset(${seed})" and the same actions must give the same episode`);
    this.#compare(later[0]!, later[1]!, `"reset()" after "reset(${seed})" must start the same next episode`);
  }

  /** What was saved must continue in the same way, through JSON, in the middle of an episode. */
  *#restores(seed: number): Steps<void> {
    const environment = this.#environment;
    if (!environment.state || !environment.restore) return;
    yield* this.#reset(seed);
    const random = new Random(seed);
    const action = yield* this.#draw(random);
    if (action === undefined || (yield* this.#step(action, "before state"))) return;
    const saved = yield* this.#called("state", () => JSON.stringify(environment.state!()));
    if (saved === undefined) {
      this.#say("no state", '"state" must return plain data for JSON, got nothing');
      return;
    }
    const words = random.state();
    const straight = yield* this.#trace(random);
    yield* this.#reset(seed + 1);
    yield* this.#called("restore", () => environment.restore!(JSON.parse(saved)));
    random.restore(words);
    if (this.#breaches.size > 0) return;
    const must = '"restore" must continue from what "state" returned, after JSON';
    this.#compare(straight, yield* this.#trace(random), must);
    try {
      environment.restore("no state");
      this.#say("any state", '"restore" must throw a TypeError for what "state" did not return, got none');
    } catch {
      // As it must.
    }
  }

  #compare(first: Trace, second: Trace, must: string): void {
    const at = first.findIndex((text, i) => text !== second[i]);
    if (at < 0 && first.length === second.length) return;
    this.#say("repeat", `${must}: they differ from call ${(at < 0 ? first.length : at) + 1} on`);
  }
}
