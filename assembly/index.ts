/** The door: the exports for JavaScript, and the one global. Pointers are unsigned: read them as `x >>> 0`. */
import { ABI_VERSION, Check, Region, Status } from "./abi";
import { abandon as abandonWith, close, filled, length, open, sizes } from "./core";
import { announce, hands, Job, unshare } from "./crew";
import { act as actWith, actSlate as actSlateWith, evaluate as evaluateWith } from "./dqn/act";
import {
  Agent,
  initialise,
  layOut,
  packWeights as packWith,
  regionOf,
  syncTarget as syncWith,
  unpackWeights as unpackWith,
} from "./dqn/agent";
import { actBatch as actBatchWith, evaluateBatch as evaluateBatchWith } from "./dqn/batch";
import { update } from "./dqn/learn";
import { observe as observeWith } from "./dqn/observe";
import { validate, weightsAreValid } from "./dqn/restore";

export { neededBytes, sizes } from "./core";
export { share } from "./crew";
export { useUnrolled } from "./gemm";
export { work } from "./work";

let agent: Agent = changetype<Agent>(0);

/** The ABI this module was built for. */
export function abi(): i32 {
  return ABI_VERSION;
}

/**
 * Lays out the one agent of this instance, takes its memory and fills it. low, high: bounds of dense numbers; sigma: the
 * scale of NoisyNets' noise. Requires sizes as src/options.ts holds them.
 */
export function create(seedLow: u32, seedHigh: u32, low: f32, high: f32, sigma: f64): Status {
  const arena = open();
  const planned = layOut(arena, sizes(), low, high);
  const status = close(arena);
  if (status != Status.Ok) return status;
  agent = planned;
  initialise(agent, (u64(seedHigh) << 32) | u64(seedLow), sigma);
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

/**
 * Epsilon-greedy action for the staged input: an index, -1 where nothing is available, or -1 - Status. See Scalar for
 * epsilon. isExploring: noisy weights carry their noise.
 */
export function act(count: i32, isExploring: bool): i32 {
  return actWith(agent, count, isExploring);
}

/** The same for a slate, to Region.Slate: how many it has, or -Status. */
export function actSlate(count: i32, isExploring: bool): i32 {
  return actSlateWith(agent, count, isExploring);
}

/** Action values of the staged input. isExploring: as for act. */
export function evaluate(count: i32, isExploring: bool): Status {
  return evaluateWith(agent, count, isExploring);
}

/** The same for many staged states, from Region.States on, to Region.Actions and Region.BatchValues. */
export function actBatch(states: i32, isExploring: bool): Status {
  return actBatchWith(agent, states, isExploring);
}

export function evaluateBatch(states: i32): Status {
  return evaluateBatchWith(agent, states);
}

/** Takes the staged transition; see observe in dqn/observe.ts. */
export function observe(
  action: i32,
  count: i32,
  nextCount: i32,
  isLast: bool,
  environment: i32,
  shown: i32,
): Status {
  return observeWith(agent, action, count, nextCount, isLast, environment, shown);
}

/** Tells all hands to leave, and waits for none of them; this thread works alone from here on. */
export function dismiss(): void {
  announce(Job.Stop, true);
  unshare();
}

/** How many threads a call of learn uses now. */
export function threads(): i32 {
  return hands() + 1;
}

/** Drops the steps of an environment that wait for their n-step return. */
export function abandon(environment: i32): void {
  abandonWith(agent, environment);
}

/** `updates` whole training steps (see update in dqn/learn.ts); the mean loss of those committed, NaN if there was none. */
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
  syncWith(agent, tau);
}

/** Writes the layers that the agent acts by in plain form to Region.Gradient. */
export function unpackWeights(): void {
  unpackWith(agent);
}

/** Takes layers in that form from Region.Gradient, for the online and the target network. Requires no batch norm. */
export function packWeights(): void {
  packWith(agent);
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
