/** The parts of one agent with continuous actions, their addresses, and the regions that JavaScript reads. */
import { Normalization, Storage } from "../abi";
import { Arena, take, takeF32, takeStruct } from "../arena";
import { padded } from "../gemm";
import { closeBlock, initNetwork, inputWords, layerAt, Network, newNetwork, takeScratch } from "../network/plan";
import { newTail, Tail } from "../nstep";
import { newReplay, Replay, takeRows } from "../replay";
import { normals, Rng, seedRng } from "../rng";
import { bytesOf, newPart, Part } from "../sparse";
import { setStorage } from "../storage";
import { lerp } from "../vector";
import { Region, Scalar, Size, Stat, State } from "./abi";

/** Sizes and addresses of one agent. */
@unmanaged
export class Agent {
  observation: Part;
  /** The numbers of an action, which lie in the replay where a candidate's features do. */
  action: Part;
  /** 1 or 2: they are one network with as many parameter blocks, one behind the other. */
  critics: i32;
  environments: i32;
  batch: i32;
  isSquared: bool;
  actor: Network;
  critic: Network;
  replay: Replay;
  tail: Tail;
  sampleRng: Rng;
  exploreRng: Rng;
  targetRng: Rng;
  /** Bytes of the actor's parameters, and of all parameters. */
  actorBytes: usize;
  bytes: usize;
  /** Byte addresses, in the order of the persistent span. */
  state: usize;
  noise: usize;
  online: usize;
  target: usize;
  moments: usize;
  persistentEnd: usize;
  gradient: usize;
  /** The staged inputs that JavaScript writes, and the action that act gives. */
  inputs: usize;
  nextInputs: usize;
  actions: usize;
  values: usize;
  /** One row [observation | action], for evaluate. */
  row: usize;
  /** A batch: rows of the replay by index, rows [observation | action] and [next observation | its action]. */
  indices: usize;
  x: usize;
  nextX: usize;
  ldx: usize;
  /** Actions of a batch (batch, actions), their gradient, and noise of one action. */
  a: usize;
  da: usize;
  z: usize;
  /** Predictions, targets, TD errors, and the gradient of the predictions, (batch) each. */
  theta: usize;
  y: usize;
  td: usize;
  dtheta: usize;
  /** The transposed action rows of the critic's first layer. */
  wt: usize;
  stats: usize;
  scalars: usize;
}

/** Counter i of the persistent state. */
// @ts-ignore: decorator
@inline
export function counter(agent: Agent, i: State): f64 {
  return load<f64>(agent.state + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
export function setCounter(agent: Agent, i: State, value: f64): void {
  store<f64>(agent.state + (usize(i) << 3), value);
}

/** Figure i of the last update. */
// @ts-ignore: decorator
@inline
export function stat(agent: Agent, i: Stat): f64 {
  return load<f64>(agent.stats + (usize(i) << 3));
}

// @ts-ignore: decorator
@inline
export function setStat(agent: Agent, i: Stat, value: f64): void {
  store<f64>(agent.stats + (usize(i) << 3), value);
}

/** Number i that a call takes. */
// @ts-ignore: decorator
@inline
export function scalar(agent: Agent, i: Scalar): f64 {
  return load<f64>(agent.scalars + (usize(i) << 3));
}

/** Where critic i lies in a block of all parameters. */
// @ts-ignore: decorator
@inline
export function criticAt(agent: Agent, block: usize, i: i32): usize {
  return block + agent.actorBytes + usize(agent.critic.bytes) * usize(i);
}

// @ts-ignore: decorator
@inline
function sizeAt(sizes: usize, i: Size): i32 {
  return load<i32>(sizes + (usize(i) << 2));
}

/** Lays out an agent; no tensor is touched. sizes: see Size; low, high: bounds of an observation's numbers. */
export function layOut(arena: Arena, sizes: usize, low: f32, high: f32): Agent {
  const agent = changetype<Agent>(takeStruct(arena, offsetof<Agent>()));
  agent.observation = newPart(arena, sizeAt(sizes, Size.Observation), 0, 0);
  agent.action = newPart(arena, sizeAt(sizes, Size.Actions), 0, 0);
  setStorage(agent.observation, sizeAt(sizes, Size.Storage), low, high);
  setStorage(agent.action, Storage.F32, -1, 1);
  agent.critics = sizeAt(sizes, Size.Critics);
  agent.environments = sizeAt(sizes, Size.Environments);
  agent.batch = sizeAt(sizes, Size.Batch);
  agent.isSquared = sizeAt(sizes, Size.Squared) != 0;
  const nothing = newPart(arena, 0, 0, 0);
  agent.actor = plan(arena, sizes, agent.observation, nothing, agent.action.dense);
  agent.critic = plan(arena, sizes, agent.observation, agent.action, 1);
  agent.actorBytes = usize(agent.actor.bytes);
  const bytes = agent.actor.bytes + agent.critic.bytes * u64(agent.critics);
  agent.bytes = usize(bytes);
  const capacity = sizeAt(sizes, Size.Capacity);
  agent.replay = newReplay(arena, capacity, agent.observation, agent.action, 0, 0, false, false, 1);
  takePersistent(agent, arena, sizes, bytes);
  agent.gradient = take(arena, bytes);
  takeWork(agent, arena);
  return agent;
}

function plan(arena: Arena, sizes: usize, first: Part, second: Part, outputs: i32): Network {
  const widths = sizes + (usize(Size.Widths) << 2);
  const kind: Normalization = sizeAt(sizes, Size.Normalization);
  const net = newNetwork(arena, first, second, sizeAt(sizes, Size.Hidden), widths, outputs, kind, 0);
  closeBlock(net, false);
  return net;
}

/** The persistent span, in the order of Region.Persistent: the replay comes last, so that its filled part ends it. */
function takePersistent(agent: Agent, arena: Arena, sizes: usize, bytes: u64): void {
  agent.state = take(arena, State.Count << 3);
  agent.noise = takeF32(arena, u64(agent.environments) * u64(agent.action.dense));
  agent.online = take(arena, bytes);
  agent.target = take(arena, bytes);
  agent.moments = take(arena, bytes * 2);
  agent.tail = newTail(arena, agent.replay, agent.environments, sizeAt(sizes, Size.NStep));
  takeRows(agent.replay, arena);
  agent.persistentEnd = usize(arena.top);
  agent.sampleRng = changetype<Rng>(agent.state + (State.Rng << 3));
  agent.exploreRng = changetype<Rng>(agent.state + ((State.Rng + 2) << 3));
  agent.targetRng = changetype<Rng>(agent.state + ((State.Rng + 4) << 3));
}

/** What is staged, and the scratch of act, evaluate and learn. */
function takeWork(agent: Agent, arena: Arena): void {
  const observation = u64(bytesOf(agent.observation));
  const actions = u64(agent.action.dense);
  const batch = u64(agent.batch);
  const width = u64(padded(inputWords(agent.critic)));
  // Four numbers more: kernels read vectors that begin inside a row and end behind it.
  const rows = ((batch + 3) & ~3) * width + 4;
  agent.inputs = take(arena, observation + 16);
  agent.nextInputs = take(arena, observation + 16);
  agent.actions = takeF32(arena, actions + 4);
  agent.values = takeF32(arena, 4);
  agent.row = takeF32(arena, width + 4);
  agent.indices = takeF32(arena, batch);
  agent.x = takeF32(arena, rows);
  agent.nextX = takeF32(arena, rows);
  agent.ldx = usize(width) << 2;
  agent.a = takeF32(arena, batch * actions + 4);
  agent.da = takeF32(arena, batch * u64(padded(agent.action.dense)));
  agent.z = takeF32(arena, actions + 1);
  agent.theta = takeF32(arena, batch);
  agent.y = takeF32(arena, batch);
  agent.td = takeF32(arena, batch);
  agent.dtheta = takeF32(arena, batch);
  agent.wt = takeF32(arena, u64(padded(agent.action.dense)) * u64(layerAt(agent.critic, 0).columns));
  takeScratch(agent.actor, arena, 1, agent.batch, 0);
  takeScratch(agent.critic, arena, 1, agent.batch, 0);
  const isPacked = agent.observation.storage != Storage.F32;
  agent.replay.scratch = take(arena, isPacked ? observation : 0);
  agent.stats = take(arena, Stat.Count << 3);
  agent.scalars = take(arena, Scalar.Count << 3);
}

/** Fills the state of a fresh agent, whose memory is zero. */
export function initialise(agent: Agent, seed: u64): void {
  const rng = agent.sampleRng;
  seedRng(rng, seed, 0);
  initNetwork(agent.actor, agent.online, rng, 0);
  for (let i = 0; i < agent.critics; i++) initNetwork(agent.critic, criticAt(agent, agent.online, i), rng, 0);
  seedRng(rng, seed, 1);
  seedRng(agent.exploreRng, seed, 2);
  seedRng(agent.targetRng, seed, 3);
  for (let i = State.Beta1Power; i <= State.ActorBeta2Power; i++) setCounter(agent, i, 1);
  for (let i = 0; i < agent.environments; i++) renewNoise(agent, i);
  syncTarget(agent, 1);
}

/** The noise of one environment. */
// @ts-ignore: decorator
@inline
export function noiseAt(agent: Agent, environment: i32): usize {
  return agent.noise + ((usize(environment) * usize(agent.action.dense)) << 2);
}

/** Draws its noise anew, for a new episode. */
export function renewNoise(agent: Agent, environment: i32): void {
  normals(agent.exploreRng, agent.action.dense, noiseAt(agent, environment));
}

/** target += tau * (online - target); tau = 1 copies. */
export function syncTarget(agent: Agent, tau: f32): void {
  lerp(i32(agent.bytes >> 2), tau, agent.online, agent.target);
}

/** Where a region starts. */
export function regionAt(agent: Agent, region: Region): usize {
  switch (region) {
    case Region.Persistent:
    case Region.State:
      return agent.state;
    case Region.Noise:
      return agent.noise;
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
    case Region.Action:
      return agent.actions;
    case Region.Values:
      return agent.values;
    case Region.TdErrors:
      return agent.td;
    case Region.Gradient:
      return agent.gradient;
    case Region.Sampled:
      return agent.indices;
    case Region.Targets:
      return agent.y;
    case Region.Stats:
      return agent.stats;
    case Region.Scalars:
      return agent.scalars;
    default:
      return 0;
  }
}

/** How many bytes a region has. */
export function regionBytes(agent: Agent, region: Region): usize {
  switch (region) {
    case Region.Persistent:
      return agent.persistentEnd - agent.state;
    case Region.State:
      return State.Count << 3;
    case Region.Noise:
      return noiseAt(agent, agent.environments) - agent.noise;
    case Region.Online:
    case Region.Target:
    case Region.Gradient:
      return agent.bytes;
    case Region.Moments:
      return agent.bytes * 2;
    case Region.Replay:
      return agent.replay.stride * usize(agent.replay.capacity);
    case Region.Observation:
    case Region.NextObservation:
      return bytesOf(agent.observation);
    case Region.Action:
      return bytesOf(agent.action);
    case Region.Values:
      return usize(agent.critics) << 2;
    case Region.TdErrors:
    case Region.Sampled:
    case Region.Targets:
      return usize(agent.batch) << 2;
    case Region.Stats:
      return Stat.Count << 3;
    case Region.Scalars:
      return Scalar.Count << 3;
    default:
      return 0;
  }
}
