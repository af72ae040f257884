/** What an agent of any kind is: its parts, their addresses, and the regions that JavaScript reads. */
import { Flag, Region, Scalar, Size, Stat, Status } from "./abi";
import { Arena, arenaAt, LIMIT, take, takeF32 } from "./arena";
import { abandon as abandonSteps, newTail, Tail } from "./nstep";
import { Replay, rowAt, takeRows } from "./replay";
import { Rng } from "./rng";
import { newRunning, normalise, note as noteStep, refresh, renew, Running, takeFactors } from "./running";
import { bytesOf, Part } from "./sparse";
import { lerp } from "./vector";

/** Sizes and addresses that every agent has. */
@unmanaged
export class Core {
  observation: Part;
  batch: i32;
  isSquared: bool;
  replay: Replay;
  tail: Tail;
  running: Running;
  /** Of samples, of exploration, and of noise in updates. */
  sampleRng: Rng;
  exploreRng: Rng;
  noiseRng: Rng;
  /** Bytes of a block of parameters, and of the part of it that is trained. */
  bytes: usize;
  trained: usize;
  /** Byte addresses, in the order of the persistent span. */
  state: usize;
  online: usize;
  target: usize;
  moments: usize;
  persistentEnd: usize;
  /** In the state: transitions in the replay, and where the next one goes. */
  ring: usize;
  gradient: usize;
  /** The staged observations that JavaScript writes. */
  inputs: usize;
  nextInputs: usize;
  /** One staged observation as networks see it. */
  seen: usize;
  /**
   * A batch: rows of the replay by index, and the networks' rows of their states and next states, of which row b is found
   * with ldx.
   */
  indices: usize;
  x: usize;
  nextX: usize;
  ldx: usize;
  /** Predictions, targets, TD errors, and the gradient of the predictions. */
  theta: usize;
  y: usize;
  td: usize;
  dtheta: usize;
  /** Figures of the last update, see Stat; and numbers that calls take, see Scalar. */
  stats: usize;
  scalars: usize;
}

/** Counter i of the persistent state, by the State of its kind. */
// @ts-ignore: decorator
@inline
export function counter(agent: Core, i: i32): f64 {
  return load<f64>(agent.state + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
export function setCounter(agent: Core, i: i32, value: f64): void {
  store<f64>(agent.state + (usize(i) << 3), value);
}

/** Figure i of the last update. */
// @ts-ignore: decorator
@inline
export function stat(agent: Core, i: Stat): f64 {
  return load<f64>(agent.stats + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
export function setStat(agent: Core, i: Stat, value: f64): void {
  store<f64>(agent.stats + (usize(i) << 3), value);
}

/** Number i that a call takes. */
// @ts-ignore: decorator
@inline
export function scalar(agent: Core, i: Scalar): f64 {
  return load<f64>(agent.scalars + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
export function setScalar(agent: Core, i: Scalar, value: f64): void {
  store<f64>(agent.scalars + (usize(i) << 3), value);
}

/** Transitions in the replay. */
// @ts-ignore: decorator
@inline
export function filled(agent: Core): i32 {
  return i32(load<f64>(agent.ring));
}

/** The row of the replay where the next transition goes. */
// @ts-ignore: decorator
@inline
export function headOf(agent: Core): i32 {
  return i32(load<f64>(agent.ring, 8));
}

// @ts-ignore: decorator
@inline
export function sizeAt(sizes: usize, i: Size): i32 {
  return load<i32>(sizes + (usize(i) << 2));
}

/** The sizes that need no memory. */
export function setSizes(agent: Core, sizes: usize): void {
  agent.batch = sizeAt(sizes, Size.Batch);
  agent.isSquared = (sizeAt(sizes, Size.Flags) & Flag.Squared) != 0;
}

/** Begins the persistent span: `counters` numbers of state, of which that at `rng` begins the generators. */
export function takeState(agent: Core, arena: Arena, counters: i32, size: i32, rng: i32): void {
  agent.state = take(arena, counters << 3);
  agent.ring = agent.state + (usize(size) << 3);
  agent.sampleRng = changetype<Rng>(agent.state + (usize(rng) << 3));
  agent.exploreRng = changetype<Rng>(agent.state + (usize(rng + 2) << 3));
  agent.noiseRng = changetype<Rng>(agent.state + (usize(rng + 4) << 3));
}

/** Goes on with running moments, where there are any, with blocks of parameters, of which `trained` bytes are trained, and with the steps that wait. */
export function takeBlocks(agent: Core, arena: Arena, sizes: usize, bytes: u64, trained: u64): void {
  const flags = sizeAt(sizes, Size.Flags);
  const environments = sizeAt(sizes, Size.Environments);
  const dense = flags & Flag.RunningObservations ? agent.observation.dense : 0;
  agent.running = newRunning(arena, dense, (flags & Flag.RunningRewards) != 0, environments);
  agent.bytes = usize(bytes);
  agent.trained = usize(trained);
  agent.online = take(arena, bytes);
  agent.target = take(arena, bytes);
  agent.moments = take(arena, trained * 2);
  agent.tail = newTail(arena, agent.replay, environments, sizeAt(sizes, Size.NStep));
}

/** Ends it with the replay, so that its filled part ends a file; then come the gradient and the staged observations. */
export function takeReplay(agent: Core, arena: Arena, trained: u64): void {
  takeRows(agent.replay, arena);
  agent.persistentEnd = usize(arena.top);
  agent.gradient = take(arena, trained);
  // As of rows: kernels read vectors that end behind it.
  agent.inputs = take(arena, u64(bytesOf(agent.observation)) + 16);
  agent.nextInputs = take(arena, u64(bytesOf(agent.observation)) + 16);
  agent.seen = take(arena, agent.running.dense > 0 ? u64(bytesOf(agent.observation)) + 16 : 0);
  takeFactors(agent.running, arena);
}

/** Rows [observation | action] of `width` numbers that a batch is read into. */
export function takeInputRows(agent: Core, arena: Arena, width: u64): void {
  // Four numbers more: kernels read vectors that begin inside a row and end behind it.
  const rows = u64((agent.batch + 3) & ~3) * width + 4;
  agent.x = takeF32(arena, rows);
  agent.nextX = takeF32(arena, rows);
  agent.ldx = usize(width) << 2;
}

/** What an update predicts and learns from, `quantiles` numbers a row, with `parts` TD errors; and figures. */
export function takeLosses(agent: Core, arena: Arena, quantiles: u64, parts: u64): void {
  const batch = u64(agent.batch);
  agent.indices = takeF32(arena, batch);
  agent.theta = takeF32(arena, batch * quantiles);
  agent.y = takeF32(arena, batch * quantiles + 4);
  agent.td = takeF32(arena, batch * parts);
  agent.dtheta = takeF32(arena, batch * quantiles);
  agent.stats = take(arena, Stat.Count << 3);
  agent.scalars = take(arena, Scalar.Count << 3);
}

/** Whether observations are normalised before networks see them. */
// @ts-ignore: decorator
@inline
export function isNormalised(agent: Core): bool {
  return agent.running.dense > 0;
}

/** The staged observation as networks see it. */
export function inputsOf(agent: Core): usize {
  return isNormalised(agent) ? see(agent, agent.inputs, agent.seen) : agent.inputs;
}

/** Writes an observation at x as networks see it to y, and gives y. Requires isNormalised. */
export function see(agent: Core, x: usize, y: usize): usize {
  refresh(agent.running);
  memory.copy(y, x, bytesOf(agent.observation));
  normalise(agent.running, y);
  return y;
}

/** Counts the staged transition for what is normalised. */
export function note(agent: Core, environment: i32, isLast: bool): void {
  let reward: f64 = 0;
  for (let p = 0; p < agent.replay.parts; p++) reward += load<f64>(agent.scalars + ((Scalar.Reward + p) << 3));
  noteStep(agent.running, agent.inputs, reward, scalar(agent, Scalar.Gamma), environment, isLast);
}

/** Drops the waiting steps of an environment whose episode will not continue. */
export function abandon(agent: Core, environment: i32): void {
  abandonSteps(agent.tail, environment);
  renew(agent.running, environment);
}

/** Copies a step that waited to the replay, whose ring moves on, and gives its row there. */
export function remember(agent: Core, step: usize): usize {
  const replay = agent.replay;
  const head = headOf(agent);
  const row = rowAt(replay, head);
  memory.copy(row, step, replay.stride);
  store<f64>(agent.ring, min(f64(replay.capacity), load<f64>(agent.ring) + 1));
  store<f64>(agent.ring, head + 1 == replay.capacity ? 0 : head + 1, 8);
  return row;
}

/** target += tau * (online - target); tau = 1 copies. */
export function moveTarget(agent: Core, tau: f32): void {
  lerp(i32(agent.bytes >> 2), tau, agent.online, agent.target);
}

/** Bytes of the region that was asked for last. */
export let length: usize = 0;

/** A region: where it starts; how many bytes it has becomes `length`. */
// @ts-ignore: decorator
@inline
export function span(at: usize, bytes: usize): usize {
  length = bytes;
  return at;
}

/** Where a region that every agent has starts; of others an empty one. */
export function spanOf(agent: Core, region: Region): usize {
  const batch = usize(agent.batch) << 2;
  switch (region) {
    case Region.Persistent:
      return span(agent.state, agent.persistentEnd - agent.state);
    case Region.Online:
      return span(agent.online, agent.bytes);
    case Region.Target:
      return span(agent.target, agent.bytes);
    case Region.Moments:
      return span(agent.moments, agent.trained * 2);
    case Region.Gradient:
      return span(agent.gradient, agent.trained);
    case Region.Replay:
      return span(agent.replay.rows, agent.replay.stride * usize(agent.replay.capacity));
    case Region.Observation:
      return span(agent.inputs, bytesOf(agent.observation));
    case Region.NextObservation:
      return span(agent.nextInputs, bytesOf(agent.observation));
    case Region.TdErrors:
      return span(agent.td, batch);
    case Region.Sampled:
      return span(agent.indices, batch);
    case Region.Stats:
      return span(agent.stats, Stat.Count << 3);
    case Region.Scalars:
      return span(agent.scalars, Scalar.Count << 3);
    default:
      return span(0, 0);
  }
}

let needed: u64 = 0;

/** Where the sizes go before create: i32 (Size.Widths + MAX_HIDDEN), see Size. */
export function sizes(): usize {
  return SIZES;
}

const SIZES: usize = memory.data(120, 16);

/** Bytes that the last create laid out, also where it answered TooLarge. */
export function neededBytes(): f64 {
  return f64(needed);
}

/** The arena of an instance's one agent. */
export function open(): Arena {
  return arenaAt(__heap_base);
}

/** Takes the memory that was laid out. */
export function close(arena: Arena): Status {
  needed = arena.top;
  if (needed > LIMIT) return Status.TooLarge;
  const pages = i32((arena.top + 65535) >> 16) - memory.size();
  return pages <= 0 || memory.grow(pages) >= 0 ? Status.Ok : Status.OutOfMemory;
}
