/** The parts of a DQN, their addresses, and the regions that JavaScript reads. */
import { Flag, Normalization, Region, Size, State, Storage } from "../abi";
import { Arena, take, takeF32, takeStruct } from "../arena";
import {
  Core,
  isNormalised,
  moveTarget,
  setCounter,
  setSizes,
  sizeAt,
  span,
  spanOf,
  takeBlocks,
  takeInputRows,
  takeLosses,
  takeReplay,
  takeState,
} from "../core";
import { padded } from "../gemm";
import { outputPanelBytes } from "../network/forward";
import { addValueStream, closeBlock, initNetwork, inputWords, Network, newNetwork, takeScratch } from "../network/plan";
import { drawNetwork, foldNetwork, packLayers, unpackLayers } from "../network/weights";
import { newReplay } from "../replay";
import { Rng, seedRng } from "../rng";
import { bytesOf, newPart, Part } from "../sparse";
import { setStorage } from "../storage";
import { newSumTree, SumTree } from "../sumtree";

/** Sizes and addresses that a DQN has beside them. */
@unmanaged
export class Agent extends Core {
  flags: i32;
  features: Part;
  /** The number of actions; 0 in candidate mode. */
  actions: i32;
  /** Values for each action: the quantiles of each part of the reward. */
  quantiles: i32;
  /** Parts of the reward. */
  parts: i32;
  /** Candidates of a slate; 0 where one is chosen alone. */
  slate: i32;
  /** The most candidates of one act, and in a stored set. */
  maxCandidates: i32;
  isDouble: bool;
  isPrioritized: bool;
  isDueling: bool;
  /** Whether advantages have a mean to lose: those of fixed actions. */
  isCentred: bool;
  isMunchausen: bool;
  isConservative: bool;
  isNoisy: bool;
  isBoltzmann: bool;
  isAdversarial: bool;
  net: Network;
  /** Where prioritized. */
  tree: SumTree;
  /** Byte addresses; priorities lie in the persistent span, behind the steps that wait. */
  priorities: usize;
  /** Weights with noise, or with batch normalisation folded in; and of which block, 0 for none. */
  block: usize;
  blockEnd: usize;
  folded: usize;
  /** The staged inputs that JavaScript writes beside observations. */
  candidates: usize;
  candidate: usize;
  nextCandidates: usize;
  mask: usize;
  nextMask: usize;
  values: usize;
  /** f64, with Flag.Boltzmann: the chances of a state's actions. */
  propensities: usize;
  /** With slates: weights of the choice; as before values and candidates, that of nothing stands before it. */
  choices: usize;
  /** The slate that was chosen last, i32. */
  shown: usize;
  /** The staged mask in bits. */
  bits: usize;
  /**
   * Many states at once, which take the room of an update's products: observations (batch), behind which candidates lie;
   * their counts i32 (batch), masks u8 (batch, actions) and epsilons f64 (batch).
   */
  states: usize;
  counts: usize;
  masks: usize;
  epsilons: usize;
  /** Targets of a batch's draws by priority, f64 (batch). */
  draws: usize;
  /**
   * A batch: rows by address, importance weights, actions, selected next actions. Rows of x and next x are found by rowOf
   * with ldx: where the replay keeps them as the network reads them, they stay there.
   */
  sampled: usize;
  weights: usize;
  /** With several parts, the weights of the loss (batch, parts). */
  partWeights: usize;
  actionOfRow: usize;
  selected: usize;
  /** All action values of a batch, or of one set of candidates; in candidate mode with sets, of all sets of a batch. */
  matrix: usize;
  /** Of one state: means and a softmax over its actions; and where its means are, which may be the matrix itself. */
  q: usize;
  p: usize;
  means: usize;
  /** Values of states (batch, quantiles). */
  v: usize;
  /** The gradient of matrix; rows of all sets of a batch, and where each begins i32 (batch + 1). */
  dmatrix: usize;
  setRows: usize;
  starts: usize;
  /** Where it is adversarial, the gradient of the input rows (rows, padded). */
  dinput: usize;
  /**
   * With slates: nothing and the candidates of one state; marks; the slates of the next states i32 (batch, slate); and u of
   * setRows, with its gradient.
   */
  offered: usize;
  taken: usize;
  slates: usize;
  u: usize;
  du: usize;
  /** The output layer in panels, and whether they still are the target's. */
  panels: usize;
  panelsAreTargets: bool;
}

/** The row of the replay that sample b is. */
// @ts-ignore: decorator
@inline
export function sampleAt(agent: Agent, b: usize): usize {
  return load<usize>(agent.sampled + (b << 2));
}

/** Whether the agent scores candidates rather than fixed actions. */
// @ts-ignore: decorator
@inline
export function hasCandidates(agent: Agent): bool {
  return agent.actions == 0;
}

/** Whether the network reads rows of x and next x where the replay keeps them. */
export function areInPlace(agent: Agent): bool {
  const isRaw = !isNormalised(agent) && !agent.isAdversarial;
  return !hasCandidates(agent) && agent.observation.storage == Storage.F32 && isRaw;
}

/** The most candidates of many states at once: one set, or as many as an update has rows. */
export function candidatesInBatch(agent: Agent): i32 {
  return hasCandidates(agent) ? max(agent.maxCandidates, agent.batch) : 0;
}

/** Whether an update needs the values of all actions of the current states, not only of the actions taken. */
// @ts-ignore: decorator
@inline
export function needsAll(agent: Agent): bool {
  return agent.isCentred || agent.isConservative || agent.slate > 0;
}

/** Lays out an agent; no tensor is touched. sizes: see Size; low, high: bounds of dense numbers. */
export function layOut(arena: Arena, sizes: usize, low: f32, high: f32): Agent {
  const agent = changetype<Agent>(takeStruct(arena, offsetof<Agent>()));
  const flags = sizeAt(sizes, Size.Flags);
  setSizes(agent, sizes);
  setFlags(agent, flags);
  agent.observation = newPart(
    arena,
    sizeAt(sizes, Size.Observation),
    sizeAt(sizes, Size.Slots),
    sizeAt(sizes, Size.Indexed),
  );
  agent.features = newPart(
    arena,
    sizeAt(sizes, Size.Features),
    sizeAt(sizes, Size.FeatureSlots),
    sizeAt(sizes, Size.FeatureIndexed),
  );
  setStorage(agent.observation, sizeAt(sizes, Size.Storage), low, high);
  setStorage(agent.features, sizeAt(sizes, Size.Storage), low, high);
  agent.actions = sizeAt(sizes, Size.Actions);
  agent.isCentred = agent.isDueling && !hasCandidates(agent);
  agent.parts = sizeAt(sizes, Size.Parts);
  agent.quantiles = sizeAt(sizes, Size.Quantiles) * agent.parts;
  agent.slate = sizeAt(sizes, Size.Slate);
  agent.maxCandidates = sizeAt(sizes, Size.MaxCandidates);
  agent.net = plan(agent, arena, sizes);
  agent.replay = newReplay(
    arena,
    sizeAt(sizes, Size.Capacity),
    agent.observation,
    agent.features,
    sizeAt(sizes, Size.NextCandidates),
    flags & Flag.Masked ? agent.actions : 0,
    (flags & Flag.Sets) != 0,
    agent.slate > 0,
    agent.parts,
  );
  takePersistent(agent, arena, sizes);
  const hasBlock = agent.isNoisy || agent.net.normalization == Normalization.Batch;
  agent.block = take(arena, hasBlock ? agent.net.bytes : 0);
  agent.blockEnd = usize(arena.top);
  takeStaging(agent, arena);
  takeBatch(agent, arena);
  return agent;
}

function setFlags(agent: Agent, flags: i32): void {
  agent.flags = flags;
  agent.isDouble = (flags & Flag.Double) != 0;
  agent.isPrioritized = (flags & Flag.Prioritized) != 0;
  agent.isDueling = (flags & Flag.Dueling) != 0;
  agent.isMunchausen = (flags & Flag.Munchausen) != 0;
  agent.isConservative = (flags & Flag.Conservative) != 0;
  agent.isNoisy = (flags & Flag.Noisy) != 0;
  agent.isBoltzmann = (flags & Flag.Boltzmann) != 0;
  agent.isAdversarial = (flags & Flag.Adversarial) != 0;
}

/** The network, with its value stream. */
function plan(agent: Agent, arena: Arena, sizes: usize): Network {
  const widths = sizes + (usize(Size.Widths) << 2);
  const outputs = max(1, agent.actions) * agent.quantiles + i32(agent.slate > 0);
  const net = newNetwork(
    arena,
    agent.observation,
    agent.features,
    sizeAt(sizes, Size.Hidden),
    widths,
    outputs,
    sizeAt(sizes, Size.Normalization),
    sizeAt(sizes, Size.Activation),
    0,
  );
  if (agent.isDueling) addValueStream(net, arena, widths, agent.quantiles);
  closeBlock(net, agent.isNoisy);
  return net;
}

/** The persistent span, in the order of Region.Persistent. */
function takePersistent(agent: Agent, arena: Arena, sizes: usize): void {
  const net = agent.net;
  takeState(agent, arena, State.Count, State.Size, State.Rng);
  takeBlocks(agent, arena, sizes, net.bytes, net.trained);
  agent.priorities = usize(arena.top);
  if (agent.isPrioritized) agent.tree = newSumTree(arena, agent.replay.capacity);
  takeReplay(agent, arena, net.trained);
}

function takeStaging(agent: Agent, arena: Arena): void {
  const features = u64(bytesOf(agent.features));
  // With slates, nothing is a row of zeros before the candidates.
  const nothing = u64(agent.slate > 0);
  agent.candidates = take(arena, (u64(agent.maxCandidates) + nothing) * features) + usize(features * nothing);
  agent.candidate = take(arena, bytesOf(agent.replay.chosen));
  agent.nextCandidates = take(arena, u64(agent.replay.next) * features);
  agent.mask = take(arena, agent.actions);
  agent.nextMask = take(arena, agent.actions);
  agent.values = takeF32(arena, u64(max(agent.maxCandidates, agent.actions)) + nothing) + (usize(nothing) << 2);
  agent.choices = nothing ? takeF32(arena, agent.maxCandidates + 1) + 4 : 0;
  agent.propensities = take(arena, agent.isBoltzmann ? u64(max(agent.maxCandidates, agent.actions)) << 3 : 0);
  agent.shown = takeF32(arena, agent.slate);
  agent.bits = takeF32(arena, u64((agent.actions + 31) >> 5));
}

function takeBatch(agent: Agent, arena: Arena): void {
  const batch = u64(agent.batch);
  const quantiles = u64(agent.quantiles);
  const width = u64(padded(inputWords(agent.net)));
  takeLosses(agent, arena, quantiles, u64(agent.parts));
  agent.sampled = takeF32(arena, batch);
  agent.weights = takeF32(arena, batch);
  agent.draws = take(arena, agent.isPrioritized ? batch << 3 : 0);
  if (areInPlace(agent)) {
    agent.nextX = agent.replay.nextObservation;
    agent.ldx = agent.sampled + 1;
  } else takeInputRows(agent, arena, width);
  agent.actionOfRow = takeF32(arena, batch);
  agent.selected = takeF32(arena, batch);
  const nothing = i32(agent.slate > 0);
  const offered = max(agent.maxCandidates, agent.replay.next) + nothing;
  const most = u64(max(agent.actions, offered));
  agent.q = takeF32(arena, most);
  agent.p = takeF32(arena, most);
  agent.v = takeF32(arena, agent.isDueling ? batch * quantiles : nothing ? most : 0);
  // Rows of a forward in candidate mode: one set, or the sets of a whole batch.
  const sets = hasCandidates(agent) && needsAll(agent) ? batch * u64(agent.replay.next + nothing) : 0;
  const matrix = hasCandidates(agent) ? max(max(most, sets), batch) * u64(agent.net.outputs) : batch * u64(agent.net.head.columns);
  agent.matrix = takeF32(arena, matrix);
  agent.dmatrix = takeF32(arena, needsAll(agent) ? matrix : 0);
  agent.setRows = takeF32(arena, sets ? ((sets + 3) & ~3) * width + 4 : 0);
  agent.starts = takeF32(arena, batch + 1);
  agent.dinput = takeF32(arena, agent.isAdversarial ? max(batch, sets) * width : 0);
  if (nothing) takeSlates(agent, arena, sets);
  agent.panels = take(arena, hasCandidates(agent) ? 0 : outputPanelBytes(agent.net));
  const backwards = i32(max(batch, min(sets, 0x7ffffffc)));
  const room = batch * u64(bytesOf(agent.observation)) + u64(candidatesInBatch(agent)) * u64(bytesOf(agent.features));
  takeScratch(agent.net, arena, hasCandidates(agent) ? offered : 1, backwards, room >> 2);
  agent.states = agent.net.scratch.xt;
  agent.counts = agent.actionOfRow;
  agent.masks = take(arena, agent.replay.masked ? batch * u64(agent.actions) : 0);
  agent.epsilons = take(arena, batch << 3);
  const value = agent.net.value;
  if (value) takeScratch(value, arena, 1, agent.batch);
  const isPacked = agent.observation.storage != Storage.F32;
  const unpacked = max(u64(bytesOf(agent.observation)), u64(agent.replay.next) * u64(bytesOf(agent.features)));
  agent.replay.scratch = take(arena, isPacked ? unpacked : 0);
}

function takeSlates(agent: Agent, arena: Arena, sets: u64): void {
  const next = u64(agent.replay.next);
  // As of x: vectors end behind the rows.
  agent.offered = take(arena, (next + 1) * u64(bytesOf(agent.features)) + 16);
  agent.taken = take(arena, max(u64(agent.maxCandidates), next) << 2);
  agent.slates = takeF32(arena, u64(agent.batch) * u64(agent.slate));
  agent.u = takeF32(arena, sets);
  agent.du = takeF32(arena, sets);
  agent.partWeights = takeF32(arena, agent.parts > 1 ? u64(agent.batch) * u64(agent.parts) : 0);
}

/** Fills the state of a fresh agent, whose memory is zero. sigma: the scale of the noise. */
export function initialise(agent: Agent, seed: u64, sigma: f64): void {
  const rng = agent.sampleRng;
  seedRng(rng, seed, 0);
  initNetwork(agent.net, agent.online, rng, sigma);
  seedRng(rng, seed, 1);
  seedRng(agent.exploreRng, seed, 2);
  seedRng(agent.noiseRng, seed, 3);
  setCounter(agent, State.Beta1Power, 1);
  setCounter(agent, State.Beta2Power, 1);
  setCounter(agent, State.MaxPriority, 1);
  memory.fill(agent.mask, 1, agent.actions);
  memory.fill(agent.nextMask, 1, agent.actions);
  syncTarget(agent, 1);
}

/** target += tau * (online - target); tau = 1 copies. */
export function syncTarget(agent: Agent, tau: f32): void {
  moveTarget(agent, tau);
  forget(agent);
}

/** Invalidates everything derived from weights that changed. */
export function forget(agent: Agent): void {
  agent.panelsAreTargets = false;
  agent.folded = 0;
}

/**
 * The weights that a pass without training reads: with fresh noise, or batch normalisation folded in, or as they are.
 * What was folded last is kept: updates fold the target last, so that an online network which they change never is.
 */
export function weightsOf(agent: Agent, params: usize, noise: Rng | null): usize {
  if (noise) {
    drawNetwork(agent.net, params, noise, agent.block);
    return agent.block;
  }
  if (agent.net.normalization != Normalization.Batch) return params;
  if (agent.folded != params) foldNetwork(agent.net, params, agent.block);
  agent.folded = params;
  return agent.block;
}

/** The layers that the agent acts by in plain form, see unpackLayers, to the gradient's place. */
export function unpackWeights(agent: Agent): void {
  unpackLayers(agent.net, weightsOf(agent, agent.online, null), agent.gradient);
}

/** Copies the plain layers in the gradient's place into both networks; see packLayers. */
export function packWeights(agent: Agent): void {
  packLayers(agent.net, agent.online, agent.gradient);
  syncTarget(agent, 1);
}

/** Where a region starts; its bytes, see span. */
export function regionOf(agent: Agent, region: Region): usize {
  const actions = usize(agent.actions);
  const batch = usize(agent.batch) << 2;
  const observation = bytesOf(agent.observation);
  const features = bytesOf(agent.features);
  const quantiles = usize(agent.quantiles) << 2;
  const offered = usize(agent.maxCandidates);
  switch (region) {
    case Region.State:
      return span(agent.state, State.Count << 3);
    case Region.Candidates:
      return span(agent.candidates, features * offered);
    case Region.Candidate:
      return span(agent.candidate, bytesOf(agent.replay.chosen));
    case Region.NextCandidates:
      return span(agent.nextCandidates, features * usize(agent.replay.next));
    case Region.Mask:
      return span(agent.mask, actions);
    case Region.NextMask:
      return span(agent.nextMask, actions);
    case Region.Values:
      return span(agent.values, max(offered, actions) << 2);
    case Region.Propensities:
      return span(agent.propensities, agent.isBoltzmann ? max(offered, actions) << 3 : 0);
    case Region.Priorities:
      return span(agent.priorities, agent.replay.rows - agent.priorities);
    case Region.Weights:
      return span(agent.weights, batch);
    case Region.Block:
      return span(agent.block, agent.blockEnd - agent.block);
    case Region.Predictions:
      return span(agent.theta, usize(agent.batch) * quantiles);
    case Region.Choices:
      return span(agent.choices, agent.slate ? offered << 2 : 0);
    case Region.Nothing:
      return span(agent.values - 4, usize(agent.slate > 0) << 2);
    case Region.Slate:
      return span(agent.shown, usize(agent.slate) << 2);
    case Region.Parts:
      return span(agent.matrix + quantiles, agent.slate ? offered * quantiles : 0);
    case Region.States:
      return span(agent.states, observation * agent.batch);
    case Region.Sets:
      return span(agent.states + observation * agent.batch, features * candidatesInBatch(agent));
    case Region.Counts:
      return span(agent.counts, batch);
    case Region.Actions:
      return span(agent.selected, batch);
    case Region.Masks:
      return span(agent.masks, agent.replay.masked ? usize(agent.batch) * actions : 0);
    case Region.Epsilons:
      return span(agent.epsilons, batch << 1);
    case Region.BatchValues:
      return span(agent.matrix, hasCandidates(agent) ? usize(candidatesInBatch(agent)) << 2 : batch * actions);
    default:
      return spanOf(agent, region);
  }
}
