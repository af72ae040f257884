/** The parts of an agent with continuous actions, their addresses, and the regions that JavaScript reads. */
import { Normalization, Region, Size, Storage } from "../abi";
import { Arena, take, takeF32, takeStruct } from "../arena";
import {
  Core,
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
import { closeBlock, initNetwork, inputWords, layerAt, Network, newNetwork, takeScratch } from "../network/plan";
import { newReplay } from "../replay";
import { normals, seedRng } from "../rng";
import { bytesOf, newPart, Part } from "../sparse";
import { setStorage } from "../storage";
import { State } from "./abi";

/** Sizes and addresses that an agent with continuous actions has beside them. */
@unmanaged
export class Agent extends Core {
  /** The numbers of an action, which lie in the replay where a candidate's features do. */
  action: Part;
  /** 1 or 2: they are one network with as many parameter blocks, one behind the other. */
  critics: i32;
  environments: i32;
  actor: Network;
  critic: Network;
  /** Bytes of the actor's parameters. */
  actorBytes: usize;
  /** Byte address; it lies in the persistent span, behind the state. */
  noise: usize;
  /** The action that act gives, or that JavaScript writes. */
  actions: usize;
  values: usize;
  /** One row [observation | action], for evaluate. */
  row: usize;
  /** Actions of a batch (batch, actions), their gradient, and noise of one action. */
  a: usize;
  da: usize;
  z: usize;
  /** The transposed action rows of the critic's first layer. */
  wt: usize;
}

/** Where critic i lies in a block of all parameters. */
// @ts-ignore: decorator
@inline
export function criticAt(agent: Agent, block: usize, i: i32): usize {
  return block + agent.actorBytes + usize(agent.critic.bytes) * usize(i);
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
  setSizes(agent, sizes);
  const nothing = newPart(arena, 0, 0, 0);
  agent.actor = plan(arena, sizes, agent.observation, nothing, agent.action.dense);
  agent.critic = plan(arena, sizes, agent.observation, agent.action, 1);
  agent.actorBytes = usize(agent.actor.bytes);
  const bytes = agent.actor.bytes + agent.critic.bytes * u64(agent.critics);
  const capacity = sizeAt(sizes, Size.Capacity);
  agent.replay = newReplay(arena, capacity, agent.observation, agent.action, 0, 0, false, false, 1);
  takePersistent(agent, arena, sizes, bytes);
  takeWork(agent, arena);
  return agent;
}

function plan(arena: Arena, sizes: usize, first: Part, second: Part, outputs: i32): Network {
  const widths = sizes + (usize(Size.Widths) << 2);
  const kind: Normalization = sizeAt(sizes, Size.Normalization);
  const net = newNetwork(arena, first, second, sizeAt(sizes, Size.Hidden), widths, outputs, kind, sizeAt(sizes, Size.Activation), 0);
  closeBlock(net, false);
  return net;
}

/** The persistent span, in the order of Region.Persistent, with the noise behind the state. */
function takePersistent(agent: Agent, arena: Arena, sizes: usize, bytes: u64): void {
  takeState(agent, arena, State.Count, State.Size, State.Rng);
  agent.noise = takeF32(arena, u64(agent.environments) * u64(agent.action.dense));
  takeBlocks(agent, arena, sizes, bytes, bytes);
  takeReplay(agent, arena, bytes);
}

/** What is staged, and the scratch of act, evaluate and learn. */
function takeWork(agent: Agent, arena: Arena): void {
  const actions = u64(agent.action.dense);
  const batch = u64(agent.batch);
  const width = u64(padded(inputWords(agent.critic)));
  agent.actions = takeF32(arena, actions + 4);
  agent.values = takeF32(arena, 4);
  agent.row = takeF32(arena, width + 4);
  takeInputRows(agent, arena, width);
  agent.a = takeF32(arena, batch * actions + 4);
  agent.da = takeF32(arena, batch * u64(padded(agent.action.dense)));
  agent.z = takeF32(arena, actions + 1);
  takeLosses(agent, arena, 1, 1);
  agent.wt = takeF32(arena, u64(padded(agent.action.dense)) * u64(layerAt(agent.critic, 0).columns));
  takeScratch(agent.actor, arena, 1, agent.batch, 0);
  takeScratch(agent.critic, arena, 1, agent.batch, 0);
  const isPacked = agent.observation.storage != Storage.F32;
  agent.replay.scratch = take(arena, isPacked ? bytesOf(agent.observation) : 0);
}

/** Fills the state of a fresh agent, whose memory is zero. */
export function initialise(agent: Agent, seed: u64): void {
  const rng = agent.sampleRng;
  seedRng(rng, seed, 0);
  initNetwork(agent.actor, agent.online, rng, 0);
  for (let i = 0; i < agent.critics; i++) initNetwork(agent.critic, criticAt(agent, agent.online, i), rng, 0);
  seedRng(rng, seed, 1);
  seedRng(agent.exploreRng, seed, 2);
  seedRng(agent.noiseRng, seed, 3);
  for (let i = State.Beta1Power; i <= State.ActorBeta2Power; i++) setCounter(agent, i, 1);
  for (let i = 0; i < agent.environments; i++) renewNoise(agent, i);
  moveTarget(agent, 1);
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

/** Where a region starts; its bytes, see span. */
export function regionOf(agent: Agent, region: Region): usize {
  switch (region) {
    case Region.State:
      return span(agent.state, State.Count << 3);
    case Region.Noise:
      return span(agent.noise, noiseAt(agent, agent.environments) - agent.noise);
    case Region.Action:
      return span(agent.actions, bytesOf(agent.action));
    case Region.Values:
      return span(agent.values, usize(agent.critics) << 2);
    case Region.Targets:
      return span(agent.y, usize(agent.batch) << 2);
    default:
      return spanOf(agent, region);
  }
}
