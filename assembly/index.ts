/** The door: what JavaScript may call, and the one global. Pointers are unsigned: read them as `x >>> 0`. */
import { ABI_VERSION, MAX_HIDDEN, Region, State, Status } from "./abi";
import { Arena, arenaAt, LIMIT } from "./arena";
import {
  Agent,
  abandon as abandonWith,
  act as actWith,
  regionBytes as bytesOf,
  counter,
  evaluate as evaluateWith,
  initialise,
  layOut,
  observe as observeWith,
  regionAt,
  syncTarget as syncWith,
  update,
  validate,
} from "./dqn";

let agent: Agent = changetype<Agent>(0);
let needed: u64 = 0;

/** The ABI this module was built for. */
export function abi(): i32 {
  return ABI_VERSION;
}

/** Where the widths of the hidden layers go before create: i32 (MAX_HIDDEN). */
export function hiddenSizes(): usize {
  return HIDDEN_SIZES;
}

const HIDDEN_SIZES: usize = memory.data(32, 16);

/**
 * Lays out the one agent of this instance, takes its memory and fills it. Sizes in numbers of f32.
 * actions = 0 selects candidate mode: maxCandidates rows of `features` for act, nextCandidates in a transition.
 */
export function create(
  flags: i32,
  observation: i32,
  actions: i32,
  features: i32,
  maxCandidates: i32,
  nextCandidates: i32,
  hidden: i32,
  batch: i32,
  capacity: i32,
  nStep: i32,
  seedLow: u32,
  seedHigh: u32,
): Status {
  if (hidden < 1 || hidden > MAX_HIDDEN || observation < 1 || batch < 1 || capacity < 1 || nStep < 1) return Status.BadShape;
  if (actions < 0 || (actions == 0) != (features > 0 && maxCandidates > 0 && nextCandidates > 0))
    return Status.BadShape;
  const outputs = actions ? actions : 1;
  const arena = arenaAt(__heap_base);
  const planned = layOut(
    arena,
    flags,
    observation,
    outputs,
    features,
    maxCandidates,
    nextCandidates,
    hidden,
    HIDDEN_SIZES,
    batch,
    capacity,
    nStep,
  );
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

/** Epsilon-greedy action for the staged input: an index, -1 where nothing is available, or -1 - Status. */
export function act(count: i32, epsilon: f64): i32 {
  return actWith(agent, count, epsilon);
}

/** Action values of the staged input. */
export function evaluate(count: i32): Status {
  return evaluateWith(agent, count);
}

/** Takes the staged transition; isLast: the episode ends with it. */
export function observe(action: i32, count: i32, reward: f32, discount: f32, isLast: bool): Status {
  return observeWith(agent, action, count, reward, discount, isLast);
}

/** Drops the steps that wait for their n-step return. */
export function abandon(): void {
  abandonWith(agent);
}

/** `updates` whole training steps (see update in dqn.ts); the mean loss of those committed, NaN if there was none. */
export function learn(
  updates: i32,
  learningRate: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  maxGradNorm: f32,
  targetEvery: f64,
  tau: f32,
  alpha: f64,
  beta: f64,
): f64 {
  let total: f64 = 0;
  let committed = 0;
  if (counter(agent, State.Size) == 0) return NaN;
  for (let i = 0; i < updates; i++) {
    const loss = update(agent, learningRate, beta1, beta2, epsilon, maxGradNorm, targetEvery, tau, alpha, beta);
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

/** Checks the persistent span after it was overwritten. */
export function restore(): Status {
  return validate(agent);
}
