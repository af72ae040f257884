/** The door of the continuous agent's module. Pointers are unsigned: read them as `x >>> 0`. */
import { Check, Region, Status } from "../abi";
import { close, filled, length, moveTarget, open, sizes } from "../core";
import { packLayers, unpackLayers } from "../network/weights";
import { ABI_VERSION, Explore } from "./abi";
import { act as actWith, evaluate as evaluateWith } from "./act";
import { Agent, initialise, layOut, regionOf } from "./agent";
import { abandon as abandonWith, observe as observeWith } from "./observe";
import { validate, weightsAreValid } from "./restore";
import { update } from "./update";

export { neededBytes, sizes } from "../core";
export { useUnrolled } from "../gemm";

let agent: Agent = changetype<Agent>(0);

/** The ABI this module was built for. */
export function abi(): i32 {
  return ABI_VERSION;
}

/**
 * Lays out the one agent of this instance, takes its memory and fills it. low, high: bounds of an observation's numbers.
 * Requires sizes as src/engine/continuous/options.ts holds them.
 */
export function create(seedLow: u32, seedHigh: u32, low: f32, high: f32): Status {
  const arena = open();
  const planned = layOut(arena, sizes(), low, high);
  const status = close(arena);
  if (status != Status.Ok) return status;
  agent = planned;
  initialise(agent, (u64(seedHigh) << 32) | u64(seedLow));
  return Status.Ok;
}

/** The address of a region; see Region. */
export function region(id: Region): usize {
  return regionOf(agent, id);
}

/** Its size in bytes. */
export function regionBytes(id: Region): usize {
  regionOf(agent, id);
  return length;
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
  if (filled(agent) == 0) return NaN;
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
  moveTarget(agent, tau);
}

/** Writes the actor's layers in plain form to Region.Gradient; see unpackLayers. */
export function unpackWeights(): void {
  unpackLayers(agent.actor, agent.online, agent.gradient);
}

/** Takes the actor's layers in that form from Region.Gradient, for both networks. */
export function packWeights(): void {
  packLayers(agent.actor, agent.online, agent.gradient);
  moveTarget(agent, 1);
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
