/** Deep Q-learning: act, observe, learn, syncTarget. Mnih et al. 2015; Double: van Hasselt, Guez & Silver 2016. */
import { Flag, Region, State, Status } from "./abi";
import { adam } from "./adam";
import { Arena, take, takeF32, takeStruct } from "./arena";
import { bellman, valueAt } from "./bellman";
import { padded } from "./gemm";
import { tdLoss } from "./loss";
import {
  backward,
  initNetwork,
  Network,
  networkBytes,
  newNetwork,
  outputPanelBytes,
  packOutputs,
  takeScratch,
  valuesOfActions,
  valuesOfBatch,
  valuesOfCandidates,
  valuesOfRow,
} from "./network";
import {
  actionOfTail,
  candidateOf,
  discountOfTail,
  enter,
  leave,
  newTail,
  returnOf,
  reward as rewardAll,
  Tail,
  waitingAt,
  waitingIsValid,
} from "./nstep";
import {
  actionOf,
  countOf,
  discountOf,
  maskOut,
  newReplay,
  Replay,
  rewardOf,
  rowAt,
  rowIsValid,
  samplePrioritized,
  sampleUniform,
  takeRows,
  writeRow,
} from "./replay";
import { below, Rng, seedRng, uniform } from "./rng";
import { newSumTree, priorityOf, rebuild, setPriority, SumTree, totalOf } from "./sumtree";
import { allFinite, argmax, lerp, sumSquares } from "./vector";

/** Sizes and addresses of one agent. */
@unmanaged
export class Agent {
  flags: i32;
  observation: i32;
  /** Outputs of the network: the number of actions, or 1 in candidate mode. */
  outputs: i32;
  /** Features of a candidate; 0 in action mode. */
  features: i32;
  /** The most candidates of one act, and in a stored next state. */
  maxCandidates: i32;
  batch: i32;
  net: Network;
  replay: Replay;
  tail: Tail;
  /** With Flag.Prioritized. */
  tree: SumTree;
  sampleRng: Rng;
  exploreRng: Rng;
  /** Byte addresses, in the order of the persistent span. */
  state: usize;
  online: usize;
  target: usize;
  moments: usize;
  priorities: usize;
  persistentEnd: usize;
  gradient: usize;
  /** The staged inputs that JavaScript writes. */
  inputs: usize;
  nextInputs: usize;
  candidates: usize;
  candidate: usize;
  nextCandidates: usize;
  mask: usize;
  nextMask: usize;
  values: usize;
  /** A batch: rows by index and by address, importance weights, x, next x, actions, q, targets, TD errors, dq. */
  indices: usize;
  sampled: usize;
  weights: usize;
  x: usize;
  nextX: usize;
  actions: usize;
  q: usize;
  y: usize;
  td: usize;
  dq: usize;
  /** All action values of a batch. */
  matrix: usize;
  /** The output layer in panels, and whether they still are the target's. */
  panels: usize;
  panelsAreTargets: bool;
}

/** Counter i of the persistent state. */
// @ts-ignore: decorator
@inline
export function counter(agent: Agent, i: State): f64 {
  return load<f64>(agent.state + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
function setCounter(agent: Agent, i: State, value: f64): void {
  store<f64>(agent.state + (usize(i) << 3), value);
}

/** Whether the agent scores candidates rather than fixed actions. */
// @ts-ignore: decorator
@inline
function hasCandidates(agent: Agent): bool {
  return agent.features > 0;
}

/** Whether rows are drawn by their priorities. */
// @ts-ignore: decorator
@inline
function isPrioritized(agent: Agent): bool {
  return (agent.flags & Flag.Prioritized) != 0;
}

/** Lays out an agent; no tensor is touched. sizes: the widths of the hidden layers. */
export function layOut(
  arena: Arena,
  flags: i32,
  observation: i32,
  outputs: i32,
  features: i32,
  maxCandidates: i32,
  nextCandidates: i32,
  hidden: i32,
  sizes: usize,
  batch: i32,
  capacity: i32,
  nStep: i32,
): Agent {
  const agent = changetype<Agent>(takeStruct(arena, offsetof<Agent>()));
  agent.flags = flags;
  agent.observation = observation;
  agent.outputs = outputs;
  agent.features = features;
  agent.maxCandidates = maxCandidates;
  agent.batch = batch;
  const masked = flags & Flag.Masked ? outputs : 0;
  agent.net = newNetwork(arena, observation + features, hidden, sizes, outputs);
  agent.replay = newReplay(arena, capacity, observation, features, nextCandidates, masked);
  // The persistent span: the order is that of Region.Persistent, the replay last so that its filled part ends it.
  const parameters = networkBytes(observation + features, hidden, sizes, outputs);
  agent.state = take(arena, State.Count << 3);
  agent.online = take(arena, parameters);
  agent.target = take(arena, parameters);
  agent.moments = take(arena, parameters * 2);
  agent.tail = newTail(arena, nStep, observation, features);
  agent.priorities = usize(arena.top);
  if (flags & Flag.Prioritized) agent.tree = newSumTree(arena, capacity);
  takeRows(agent.replay, arena);
  agent.persistentEnd = usize(arena.top);
  agent.sampleRng = changetype<Rng>(agent.state + (State.Rng << 3));
  agent.exploreRng = changetype<Rng>(agent.state + ((State.Rng + 2) << 3));
  agent.gradient = take(arena, parameters);
  takeStaging(agent, arena);
  takeBatch(agent, arena);
  return agent;
}

function takeStaging(agent: Agent, arena: Arena): void {
  const rows = u64(max(agent.maxCandidates, 1));
  agent.inputs = takeF32(arena, agent.observation);
  agent.nextInputs = takeF32(arena, agent.observation);
  agent.candidates = takeF32(arena, rows * u64(agent.features));
  agent.candidate = takeF32(arena, agent.features);
  agent.nextCandidates = takeF32(arena, u64(agent.replay.next) * u64(agent.features));
  agent.mask = take(arena, agent.outputs);
  agent.nextMask = take(arena, agent.outputs);
  agent.values = takeF32(arena, max(rows, u64(agent.outputs)));
}

function takeBatch(agent: Agent, arena: Arena): void {
  const batch = u64(agent.batch);
  const height = u64((agent.batch + 3) & ~3);
  const width = u64(padded(agent.observation + agent.features));
  agent.indices = takeF32(arena, batch);
  agent.sampled = takeF32(arena, batch);
  agent.weights = takeF32(arena, batch);
  agent.x = takeF32(arena, height * width);
  agent.nextX = takeF32(arena, height * width);
  agent.actions = takeF32(arena, batch);
  agent.q = takeF32(arena, batch);
  agent.y = takeF32(arena, batch);
  agent.td = takeF32(arena, batch);
  agent.dq = takeF32(arena, batch);
  const wide = hasCandidates(agent) ? u64(agent.replay.next) : batch * u64(padded(agent.outputs));
  agent.matrix = takeF32(arena, wide);
  agent.panels = take(arena, hasCandidates(agent) ? 0 : outputPanelBytes(agent.net));
  takeScratch(agent.net, arena, hasCandidates(agent) ? max(agent.maxCandidates, agent.replay.next) : 1, agent.batch);
}

/** Fills the state of a fresh agent, whose memory is zero. */
export function initialise(agent: Agent, seed: u64): void {
  const rng = agent.sampleRng;
  seedRng(rng, seed, 0);
  initNetwork(agent.net, agent.online, rng);
  seedRng(rng, seed, 1);
  seedRng(agent.exploreRng, seed, 2);
  setCounter(agent, State.Beta1Power, 1);
  setCounter(agent, State.Beta2Power, 1);
  setCounter(agent, State.MaxPriority, 1);
  memory.fill(agent.mask, 1, agent.outputs);
  memory.fill(agent.nextMask, 1, agent.outputs);
  syncTarget(agent, 1);
}

/** Q of the staged observation for all actions, or for `count` staged candidates, to values. */
export function evaluate(agent: Agent, count: i32): Status {
  if (!allFinite(agent.observation, agent.inputs)) return Status.BadObservation;
  if (!hasCandidates(agent)) {
    valuesOfRow(agent.net, agent.online, agent.inputs, agent.values);
    return Status.Ok;
  }
  if (!allFinite(count * agent.features, agent.candidates)) return Status.BadCandidate;
  if (count == 0) return Status.Ok;
  const ldc = usize(agent.features) << 2;
  const observation = agent.observation;
  valuesOfCandidates(agent.net, agent.online, observation, agent.inputs, count, agent.candidates, ldc, agent.values);
  return Status.Ok;
}

/**
 * Epsilon-greedy choice for the staged observation, candidates or mask: an index, -1 where nothing is available,
 * or -1 - Status for an input that is not finite. The random draw comes first, so exploring costs no forward.
 */
export function act(agent: Agent, count: i32, epsilon: f64): i32 {
  const available = hasCandidates(agent) ? count : countAvailable(agent);
  if (available == 0) return -1;
  if (epsilon > 0 && uniform(agent.exploreRng) < epsilon) {
    const chosen = i32(below(agent.exploreRng, available));
    return hasCandidates(agent) ? chosen : nthAvailable(agent, chosen);
  }
  const status = evaluate(agent, count);
  if (status != Status.Ok) return -1 - status;
  if (hasCandidates(agent)) return argmax(count, agent.values);
  for (let a = 0; a < agent.outputs; a++) {
    if (!load<u8>(agent.mask + a)) store<f32>(agent.values + (usize(a) << 2), -Infinity);
  }
  return argmax(agent.outputs, agent.values);
}

function countAvailable(agent: Agent): i32 {
  let n = 0;
  for (let a = 0; a < agent.outputs; a++) n += i32(load<u8>(agent.mask + a) != 0);
  return n;
}

function nthAvailable(agent: Agent, n: i32): i32 {
  let a = 0;
  for (; a < agent.outputs; a++) if (load<u8>(agent.mask + a) && n-- == 0) break;
  return a;
}

/**
 * Takes the staged transition: it waits for its n-step return, and what has waited long enough goes to the replay.
 * isLast: the episode ends here, whichever way, so that all that waits goes there. Refuses tensors that are not finite,
 * and returns that would not be.
 */
export function observe(agent: Agent, action: i32, count: i32, reward: f32, discount: f32, isLast: bool): Status {
  if (!allFinite(agent.observation, agent.inputs)) return Status.BadObservation;
  if (!allFinite(agent.observation, agent.nextInputs)) return Status.BadNextObservation;
  if (!allFinite(agent.features, agent.candidate)) return Status.BadCandidate;
  if (!allFinite(count * agent.features, agent.nextCandidates)) return Status.BadNextCandidates;
  const tail = agent.tail;
  let waiting = i32(counter(agent, State.Waiting));
  for (let i = 0; i < waiting; i++) {
    const step = waitingAt(tail, i);
    if (!isFinite(returnOf(tail, step) + discountOfTail(tail, step) * reward)) return Status.BadReturn;
  }
  enter(tail, waiting++, agent.inputs, agent.candidate, action);
  rewardAll(tail, waiting, reward, discount);
  if (isLast) {
    for (let i = 0; i < waiting; i++) remember(agent, waitingAt(tail, i), count);
    waiting = 0;
  } else if (waiting == tail.n) {
    remember(agent, tail.rows, count);
    leave(tail, waiting--);
  }
  setCounter(agent, State.Waiting, waiting);
  setCounter(agent, State.Steps, counter(agent, State.Steps) + 1);
  return Status.Ok;
}

/** Writes a step that waited to the replay, with the staged next state. */
function remember(agent: Agent, step: usize, count: i32): void {
  const tail = agent.tail;
  const replay = agent.replay;
  const head = i32(counter(agent, State.Head));
  writeRow(
    replay,
    head,
    step,
    candidateOf(tail, step),
    agent.nextInputs,
    agent.nextCandidates,
    agent.nextMask,
    actionOfTail(tail, step),
    count,
    returnOf(tail, step),
    discountOfTail(tail, step),
  );
  if (isPrioritized(agent)) setPriority(agent.tree, head, f32(counter(agent, State.MaxPriority)));
  setCounter(agent, State.Head, head + 1 == replay.capacity ? 0 : head + 1);
  setCounter(agent, State.Size, min(f64(replay.capacity), counter(agent, State.Size) + 1));
}

/** Drops the steps that wait: for an episode that goes on nowhere. */
export function abandon(agent: Agent): void {
  setCounter(agent, State.Waiting, 0);
}

/**
 * One update: sample, targets, loss and gradient, optimiser step, priorities, target. alpha and beta: the exponents of
 * priorities and of importance weights. NaN, and nothing changed but a counter and the draws, where the loss or the
 * gradient is not finite. Requires a transition in the replay.
 */
export function update(
  agent: Agent,
  learningRate: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  maxGradNorm: f32,
  targetEvery: f64,
  tau: f32,
  alpha: f64,
  beta: f64,
): f32 {
  const isWeighted = sample(agent, beta);
  const loss = gradient(agent, isWeighted);
  if (!isFinite(loss) || !step(agent, learningRate, beta1, beta2, epsilon, maxGradNorm)) {
    setCounter(agent, State.Skipped, counter(agent, State.Skipped) + 1);
    return NaN;
  }
  if (isPrioritized(agent)) prioritize(agent, alpha);
  const updates = counter(agent, State.Updates) + 1;
  setCounter(agent, State.Updates, updates);
  if (updates % targetEvery == 0) syncTarget(agent, tau);
  return loss;
}

/** Draws a batch; whether by priorities. Where all priorities are 0 it is uniform. */
function sample(agent: Agent, beta: f64): bool {
  const size = i32(counter(agent, State.Size));
  const isWeighted = isPrioritized(agent) && totalOf(agent.tree) > 0;
  if (isWeighted) {
    samplePrioritized(agent.tree, agent.sampleRng, size, agent.batch, beta, agent.indices, agent.weights);
  } else {
    sampleUniform(agent.sampleRng, size, agent.batch, agent.indices);
  }
  for (let b: usize = 0; b < usize(agent.batch) << 2; b += 4) {
    store<usize>(agent.sampled + b, rowAt(agent.replay, load<i32>(agent.indices + b)));
  }
  return isWeighted;
}

/** Above this, sums of 2^31 priorities would leave the range of f32. */
const PRIORITY_MAX: f32 = 1e28;

/** The priority of each drawn row is |TD error|^alpha; of a row drawn twice the last one counts, which is the same. */
function prioritize(agent: Agent, alpha: f64): void {
  let largest = f32(counter(agent, State.MaxPriority));
  for (let b: usize = 0; b < usize(agent.batch) << 2; b += 4) {
    const error = abs(load<f32>(agent.td + b));
    const priority: f32 = error == 0 ? 0 : min(PRIORITY_MAX, Mathf.pow(error, f32(alpha)));
    setPriority(agent.tree, load<i32>(agent.indices + b), priority);
    largest = max(largest, priority);
  }
  setCounter(agent, State.MaxPriority, f64(largest));
}

/** Mean loss of the sampled rows, and its gradient. */
function gradient(agent: Agent, isWeighted: bool): f32 {
  const batch = agent.batch;
  const ldx = usize(padded(agent.observation + agent.features)) << 2;
  gather(agent, ldx);
  targets(agent, ldx);
  valuesOfActions(agent.net, agent.online, batch, agent.x, ldx, agent.actions, agent.q);
  const isSquared = (agent.flags & Flag.Squared) != 0;
  const weights: usize = isWeighted ? agent.weights : 0;
  const loss = tdLoss(batch, agent.q, agent.y, isSquared, weights, agent.td, agent.dq);
  backward(agent.net, agent.online, agent.gradient, batch, agent.x, ldx, agent.actions, agent.dq);
  return loss;
}

/** x(b) = [observation | chosen candidate], actions(b), and the next observations, of the sampled rows. */
function gather(agent: Agent, ldx: usize): void {
  const replay = agent.replay;
  const width = usize(agent.observation + agent.features) << 2;
  const size = usize(agent.observation) << 2;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = load<usize>(agent.sampled + (b << 2));
    memory.copy(agent.x + b * ldx, row, width);
    memory.copy(agent.nextX + b * ldx, row + replay.nextObservation, size);
    store<i32>(agent.actions + (b << 2), actionOf(replay, row));
  }
}

/** y(b) = r + discount * Q(s', a*): a* the best available by the target network, or by the online one with Double. */
function targets(agent: Agent, ldx: usize): void {
  const isDouble = (agent.flags & Flag.Double) != 0;
  // Until valuesOfActions has used it, y holds the selected next action of each row, and q its value.
  if (hasCandidates(agent)) selectCandidates(agent, ldx, isDouble ? agent.online : agent.target);
  else selectActions(agent, ldx, isDouble ? agent.online : agent.target);
  if (isDouble) {
    const actions: usize = hasCandidates(agent) ? 0 : agent.y;
    valuesOfActions(agent.net, agent.target, agent.batch, agent.nextX, ldx, actions, agent.q);
  }
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = load<usize>(agent.sampled + (b << 2));
    const value: f32 = load<i32>(agent.y + (b << 2)) < 0 ? 0 : load<f32>(agent.q + (b << 2));
    store<f32>(agent.y + (b << 2), bellman(rewardOf(agent.replay, row), discountOf(agent.replay, row), value));
  }
}

/** y(b) = argmax over the available actions of Q(s'(b), .), -1 for none; q(b) = that maximum. */
function selectActions(agent: Agent, ldx: usize, params: usize): void {
  const n = agent.outputs;
  const ldq = usize(padded(n)) << 2;
  if (params == agent.online || !agent.panelsAreTargets) packOutputs(agent.net, params, agent.panels);
  agent.panelsAreTargets = params == agent.target;
  valuesOfBatch(agent.net, params, agent.panels, agent.batch, agent.nextX, ldx, agent.matrix);
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const q = agent.matrix + b * ldq;
    let best = -1;
    if (agent.replay.masked) {
      const bits = load<usize>(agent.sampled + (b << 2)) + agent.replay.mask;
      maskOut(n, bits, q);
      if (anyBit(n, bits)) best = argmax(n, q);
    } else {
      best = argmax(n, q);
    }
    store<i32>(agent.y + (b << 2), best);
    store<f32>(agent.q + (b << 2), valueAt(q, best));
  }
}

function anyBit(n: i32, bits: usize): bool {
  let any: u32 = 0;
  for (let i = 0; i < n; i += 32) any |= load<u32>(bits + (usize(i) >> 3));
  return any != 0;
}

/** As selectActions over the next candidates; the features of the selected one complete nextX(b) for Double. */
function selectCandidates(agent: Agent, ldx: usize, params: usize): void {
  const replay = agent.replay;
  const split = agent.observation;
  const ldc = usize(agent.features) << 2;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = load<usize>(agent.sampled + (b << 2));
    // A discount of 0 needs no value: skip the forward.
    const count = discountOf(replay, row) == 0 ? 0 : countOf(replay, row);
    let best = -1;
    if (count > 0) {
      const candidates = row + replay.nextCandidates;
      const x = row + replay.nextObservation;
      valuesOfCandidates(agent.net, params, split, x, count, candidates, ldc, agent.matrix);
      best = argmax(count, agent.matrix);
      memory.copy(agent.nextX + b * ldx + (usize(split) << 2), candidates + ldc * best, ldc);
    }
    store<i32>(agent.y + (b << 2), best);
    store<f32>(agent.q + (b << 2), valueAt(agent.matrix, best));
  }
}

/** Clips the gradient to a global norm (maxGradNorm = 0: no clip) and takes an Adam step; false if it is not finite. */
function step(agent: Agent, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, maxGradNorm: f32): bool {
  const n = i32(agent.net.bytes >> 2);
  const norm = Mathf.sqrt(sumSquares(n, agent.gradient));
  if (!isFinite(norm)) return false;
  const scale: f32 = maxGradNorm > 0 ? min<f32>(1, maxGradNorm / (norm + <f32>1e-6)) : 1;
  const power1 = counter(agent, State.Beta1Power) * beta1;
  const power2 = counter(agent, State.Beta2Power) * beta2;
  setCounter(agent, State.Beta1Power, power1);
  setCounter(agent, State.Beta2Power, power2);
  const second = agent.moments + agent.net.bytes;
  adam(
    n,
    agent.online,
    agent.gradient,
    agent.moments,
    second,
    scale,
    learningRate,
    beta1,
    beta2,
    epsilon,
    power1,
    power2,
  );
  return true;
}

/** target += tau * (online - target); tau = 1 copies. */
export function syncTarget(agent: Agent, tau: f32): void {
  lerp(i32(agent.net.bytes >> 2), tau, agent.online, agent.target);
  agent.panelsAreTargets = false;
}

/** Checks a persistent span that was written from outside, trusting nothing. */
export function validate(agent: Agent): Status {
  agent.panelsAreTargets = false;
  const size = counter(agent, State.Size);
  const head = counter(agent, State.Head);
  const capacity = f64(agent.replay.capacity);
  if (!(isCount(size) && size <= capacity && isCount(head) && head < capacity)) return Status.BadCounter;
  if (!(size == capacity || head == size)) return Status.BadCounter;
  for (let i = State.Steps; i <= State.Skipped; i++) if (!isCount(counter(agent, i))) return Status.BadCounter;
  for (let i = State.Beta1Power; i <= State.Beta2Power; i++) {
    if (!(counter(agent, i) >= 0 && counter(agent, i) <= 1)) return Status.BadCounter;
  }
  if (!(agent.sampleRng.increment & agent.exploreRng.increment & 1)) return Status.BadCounter;
  // Online, target and both moments lie one after the other: four blocks of bytes / 4 numbers.
  if (!allFinite(i32(agent.net.bytes), agent.online)) return Status.NotFinite;
  for (let i = 0; i < i32(size); i++) {
    if (!rowIsValid(agent.replay, i, agent.outputs)) return Status.NotFinite;
  }
  const waiting = counter(agent, State.Waiting);
  if (!(isCount(waiting) && waiting < agent.tail.n)) return Status.BadCounter;
  for (let i = 0; i < i32(waiting); i++) {
    if (!waitingIsValid(agent.tail, i, agent.outputs)) return Status.NotFinite;
  }
  return isPrioritized(agent) ? validatePriorities(agent, i32(size)) : Status.Ok;
}

/** Priorities in [0, PRIORITY_MAX], 0 where no row is; their sums are not believed but made again. */
function validatePriorities(agent: Agent, size: i32): Status {
  const largest = counter(agent, State.MaxPriority);
  if (!(largest > 0 && largest <= PRIORITY_MAX)) return Status.BadCounter;
  for (let i = 0; i < agent.replay.capacity; i++) {
    const priority = priorityOf(agent.tree, i);
    if (!(priority >= 0 && priority <= (i < size ? PRIORITY_MAX : 0))) return Status.NotFinite;
  }
  rebuild(agent.tree, agent.replay.capacity);
  return Status.Ok;
}

function isCount(x: f64): bool {
  return x >= 0 && x <= 9007199254740991 && x == Math.floor(x);
}

/** Where a region starts. */
export function regionAt(agent: Agent, region: Region): usize {
  switch (region) {
    case Region.Persistent:
    case Region.State:
      return agent.state;
    case Region.Online:
      return agent.online;
    case Region.Target:
      return agent.target;
    case Region.Moments:
      return agent.moments;
    case Region.Replay:
      return agent.replay.rows;
    case Region.Observation:
      return agent.inputs;
    case Region.NextObservation:
      return agent.nextInputs;
    case Region.Candidates:
      return agent.candidates;
    case Region.Candidate:
      return agent.candidate;
    case Region.NextCandidates:
      return agent.nextCandidates;
    case Region.Mask:
      return agent.mask;
    case Region.NextMask:
      return agent.nextMask;
    case Region.Values:
      return agent.values;
    case Region.TdErrors:
      return agent.td;
    case Region.Gradient:
      return agent.gradient;
    case Region.Priorities:
      return agent.priorities;
    case Region.Sampled:
      return agent.indices;
    case Region.Weights:
      return agent.weights;
    default:
      return 0;
  }
}

/** How many bytes a region has. */
export function regionBytes(agent: Agent, region: Region): usize {
  const observation = usize(agent.observation) << 2;
  const features = usize(agent.features) << 2;
  switch (region) {
    case Region.Persistent:
      return agent.persistentEnd - agent.state;
    case Region.State:
      return State.Count << 3;
    case Region.Online:
    case Region.Target:
    case Region.Gradient:
      return agent.net.bytes;
    case Region.Moments:
      return agent.net.bytes * 2;
    case Region.Replay:
      return agent.replay.stride * usize(agent.replay.capacity);
    case Region.Observation:
    case Region.NextObservation:
      return observation;
    case Region.Candidates:
      return features * usize(agent.maxCandidates);
    case Region.Candidate:
      return features;
    case Region.NextCandidates:
      return features * usize(agent.replay.next);
    case Region.Mask:
    case Region.NextMask:
      return agent.outputs;
    case Region.Values:
      return usize(hasCandidates(agent) ? agent.maxCandidates : agent.outputs) << 2;
    case Region.TdErrors:
    case Region.Sampled:
    case Region.Weights:
      return usize(agent.batch) << 2;
    case Region.Priorities:
      return agent.replay.rows - agent.priorities;
    default:
      return 0;
  }
}
