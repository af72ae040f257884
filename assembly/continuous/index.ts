/** The door of the continuous agent's module. Pointers are unsigned: read them as `x >>> 0`. */
import { Check, Status } from "../abi";
import { Arena, arenaAt, LIMIT } from "../arena";
import { packLayers, unpackLayers } from "../network/weights";
import { ABI_VERSION, Explore, Region, State } from "./abi";
import { act as actWith, evaluate as evaluateWith } from "./act";
import {
  Agent,
  counter,
  initialise,
  layOut,
  regionAt,
  regionBytes as bytesOf,
  syncTarget as syncWith,
} from "./agent";
import { abandon as abandonWith, observe as observeWith } from "./observe";
import { validate, weightsAreValid } from "./restore";
import { update } from "./update";

export { useUnrolled } from "../gemm";

let agent: Agent = changetype<Agent>(0);
let needed: u64 = 0;

/** The ABI this module was built for. */
export function abi(): i32 {
  return ABI_VERSION;
}

/** Where the sizes go before create: i32 (Size.Widths + MAX_HIDDEN), see Size. */
export function sizes(): usize {
  return SIZES;
}

const SIZES: usize = memory.data(80, 16);

/**
 * Lays out the one agent of this instance, takes its memory and fills it. low, high: bounds of an observation's numbers.
 * Requires sizes as src/engine/continuous/options.ts holds them.
 */
export function create(seedLow: u32, seedHigh: u32, low: f32, high: f32): Status {
  const arena = arenaAt(__heap_base);
  const planned = layOut(arena, SIZES, low, high);
  needed = arena.top;
  if (needed > LIMIT) return Status.TooLarge;
  if (!grow(arena)) return Status.OutOfMemory;
  agent = planned;
  initialise(agent, (u64(seedHigh) << 32) | u64(seedLow));
  return Status.Ok;
}

function grow(arena: Arena): bool {
  const pages = i32((arena.top + 65535) >> 16) - memory.size();
  return pages <= 0 || memory.grow(pages) >= 0;
}

/** Bytes that the last create laid out, also where it answered TooLarge. */
export function neededBytes(): f64 {
  return f64(needed);
}

/** The address of a region; see Region. */
export function region(id: Region): usize {
  return regionAt(agent, id);
}

/** Its size in bytes. */
export function regionBytes(id: Region): usize {
  return bytesOf(agent, id);
}

/** Writes the action for the staged observation to Region.Action. See Scalar for the noise. */
export function act(environment: i32, explore: Explore): Status {
  return actWith(agent, environment, explore);
}

/** Values of the staged observation and action. */
export function evaluate(): Status {
  return evaluateWith(agent);
}

/** Takes the staged transition; see observe in observe.ts. */
export function observe(isLast: bool, environment: i32): Status {
  return observeWith(agent, isLast, environment);
}

/** Drops the steps of an environment that wait for their n-step return. */
export function abandon(environment: i32): void {
  abandonWith(agent, environment);
}

/** `updates` whole training steps (see update.ts); the mean loss of those committed, NaN if there was none. */
export function learn(updates: i32): f64 {
  if (counter(agent, State.Size) == 0) return NaN;
  let total: f64 = 0;
  let committed = 0;
  for (let i = 0; i < updates; i++) {
    const loss = update(agent);
    if (isNaN(loss)) continue;
    total += loss;
    committed++;
  }
  return total / f64(committed);
}

/** target += tau * (online - target). */
export function syncTarget(tau: f32): void {
  syncWith(agent, tau);
}

/** Writes the actor's layers in plain form to Region.Gradient; see unpackLayers. */
export function unpackActor(): void {
  unpackLayers(agent.actor, agent.online, agent.gradient);
}

/** Takes the actor's layers in that form from Region.Gradient, for both networks. */
export function packActor(): void {
  packLayers(agent.actor, agent.online, agent.gradient);
  syncWith(agent, 1);
}

/** Checks the online parameters after they were overwritten. */
export function checkWeights(): Status {
  return weightsAreValid(agent, agent.online) ? Status.Ok : Status.NotFinite;
}

/** Checks the persistent span after it was overwritten. */
export function restore(): Status {
  return validate(agent, Check.All);
}

/** The same where it should not have been, as far as asked. */
export function inspect(check: Check): Status {
  return validate(agent, check);
}
