/**
 * One training step: sample, targets, the critics' step; after every `policyDelay` of them the actor's step and the targets'
 * move. With one critic, no noise on targets and a delay of 1 it is DDPG: Lillicrap et al. 2016, arXiv:1509.02971; else TD3:
 * Fujimoto, van Hoof & Meger 2018, arXiv:1802.09477.
 */
import { Scalar, Stat, STAT_DECAY } from "../abi";
import { bellman } from "../bellman";
import { counter, filled, moveTarget, scalar, setCounter, setStat, stat } from "../core";
import { descend, REFUSED } from "../descent";
import { tdLoss } from "../loss";
import { backward, headOfActions, headOfAll } from "../network/backward";
import { valuesOfActions } from "../network/forward";
import { padded } from "../gemm";
import { discountOf, readStep, returnOf, rowAt, sampleUniform } from "../replay";
import { normalise, refresh, scaledReturn } from "../running";
import { bytesOf } from "../sparse";
import { unpack } from "../storage";
import { copy } from "../vector";
import { State } from "./abi";
import { actionsOf } from "./act";
import { Agent, criticAt } from "./agent";
import { secondGradient } from "./input";
import { smooth, squashBackward } from "./squash";

/**
 * One update with the numbers from Scalar.LearningRate on; returns the critics' loss. NaN, and nothing changed but counters
 * and draws, where the loss or the gradient is not finite or beyond its bound. Requires a transition in the replay.
 */
export function update(agent: Agent): f32 {
  refresh(agent.running);
  sample(agent);
  targets(agent);
  let loss: f32 = 0;
  for (let i = agent.critics - 1; i >= 0; i--) loss += lossOfCritic(agent, i);
  setStat(agent, Stat.Tried, stat(agent, Stat.Tried) + 1);
  setStat(agent, Stat.Loss, loss);
  setStat(agent, Stat.GradientNorm, NaN);
  const critics = criticAt(agent, 0, 0);
  const rate = scalar(agent, Scalar.LearningRate);
  const bytes = agent.bytes - critics;
  if (!isFinite(loss) || descend(agent, critics, bytes, rate, State.Beta1Power, Stat.GradientNorm) == REFUSED) {
    skip(agent);
    return NaN;
  }
  setStat(agent, Stat.LossSum, stat(agent, Stat.LossSum) * STAT_DECAY + loss);
  setStat(agent, Stat.WeightSum, stat(agent, Stat.WeightSum) * STAT_DECAY + 1);
  const updates = counter(agent, State.Updates) + 1;
  setCounter(agent, State.Updates, updates);
  if (i64(updates) % i64(scalar(agent, Scalar.TargetEvery)) == 0) {
    improve(agent);
    moveTarget(agent, f32(scalar(agent, Scalar.Tau)));
  }
  return loss;
}

function skip(agent: Agent): void {
  setCounter(agent, State.Skipped, counter(agent, State.Skipped) + 1);
  setCounter(agent, State.SkippedStep, counter(agent, State.Steps));
}

/** Draws a batch: x(b) = [observation | action], and the next observations. */
function sample(agent: Agent): void {
  const replay = agent.replay;
  sampleUniform(agent.sampleRng, filled(agent), agent.batch, agent.indices);
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    readStep(replay, row, agent.x + b * agent.ldx);
    unpack(agent.observation, 1, row + replay.nextObservation, agent.nextX + b * agent.ldx);
    normalise(agent.running, agent.x + b * agent.ldx);
    normalise(agent.running, agent.nextX + b * agent.ldx);
  }
}

/** The row of the replay that sample b is. */
// @ts-ignore: decorator
@inline
function sampleAt(agent: Agent, b: usize): usize {
  return rowAt(agent.replay, load<i32>(agent.indices + (b << 2)));
}

/** Puts actions (batch, actions) behind the observations of rows. */
function place(agent: Agent, a: usize, x: usize): void {
  const bytes = bytesOf(agent.action);
  x += bytesOf(agent.observation);
  for (let b: usize = 0; b < usize(agent.batch); b++) copy(x + agent.ldx * b, a + bytes * b, bytes);
}

/** y = r + discount * the least of what the target critics say of the target actor's action, with noise on it. */
function targets(agent: Agent): void {
  const n = agent.action.dense;
  const batch = agent.batch;
  const sigma = f32(scalar(agent, Scalar.TargetNoise));
  const most = f32(scalar(agent, Scalar.TargetNoiseClip));
  actionsOf(agent, agent.target, batch, agent.nextX, agent.ldx, agent.a);
  if (sigma > 0) {
    for (let b = 0; b < batch; b++) {
      smooth(agent.noiseRng, n, sigma, most, agent.z, agent.a + ((usize(b) * usize(n)) << 2));
    }
  }
  place(agent, agent.a, agent.nextX);
  predict(agent, agent.target, 0, agent.nextX, agent.y);
  if (agent.critics > 1) {
    predict(agent, agent.target, 1, agent.nextX, agent.theta);
    for (let i: usize = 0; i < usize(batch) << 2; i += 4) {
      store<f32>(agent.y + i, min(load<f32>(agent.y + i), load<f32>(agent.theta + i)));
    }
  }
  for (let b: usize = 0; b < usize(batch); b++) {
    const row = sampleAt(agent, b);
    const value = load<f32>(agent.y + (b << 2));
    const reward = scaledReturn(agent.running, agent.tail.n, returnOf(agent.replay, row, 0));
    store<f32>(agent.y + (b << 2), bellman(reward, discountOf(agent.replay, row), value));
  }
}

/** q(B) = what critic i says of rows. */
function predict(agent: Agent, block: usize, i: i32, x: usize, q: usize): void {
  valuesOfActions(agent.critic, criticAt(agent, block, i), agent.batch, x, agent.ldx, 0, 1, q);
}

/** Mean loss of critic i, and its gradient. */
function lossOfCritic(agent: Agent, i: i32): f32 {
  const batch = agent.batch;
  const params = criticAt(agent, agent.online, i);
  const grads = criticAt(agent, agent.gradient, i);
  predict(agent, agent.online, i, agent.x, agent.theta);
  const loss = tdLoss(batch, agent.theta, agent.y, agent.isSquared, 0, agent.td, agent.dtheta);
  headOfActions(agent.critic, params, grads, batch, 0, 1, agent.dtheta);
  backward(agent.critic, params, grads, batch, agent.x, agent.ldx, 0, 0, 0, 0);
  return loss;
}

/**
 * The actor's step up the first critic's value of its own actions: the deterministic policy gradient.
 * Silver et al. 2014, eq. 9.
 */
function improve(agent: Agent): void {
  const batch = agent.batch;
  const n = agent.action.dense;
  actionsOf(agent, agent.online, batch, agent.x, agent.ldx, agent.a);
  place(agent, agent.a, agent.x);
  predict(agent, agent.online, 0, agent.x, agent.theta);
  let total: f64 = 0;
  const share: f32 = -1 / f32(batch);
  for (let i: usize = 0; i < usize(batch) << 2; i += 4) {
    total += load<f32>(agent.theta + i);
    store<f32>(agent.dtheta + i, share);
  }
  setStat(agent, Stat.ActorValue, total / f64(batch));
  setStat(agent, Stat.ActorGradientNorm, NaN);
  secondGradient(agent.critic, criticAt(agent, agent.online, 0), batch, agent.dtheta, agent.wt, agent.da);
  const bytes = usize(n) << 2;
  const ldd = usize(padded(n)) << 2;
  for (let b: usize = 0; b < usize(batch); b++) {
    // The gradients close up: those of row b end before those of row b + 1 begin.
    squashBackward(n, agent.a + bytes * b, agent.da + ldd * b, agent.da + bytes * b);
  }
  headOfAll(agent.actor, agent.online, agent.gradient, batch, agent.da, bytes);
  backward(agent.actor, agent.online, agent.gradient, batch, agent.x, agent.ldx, 0, 0, 0, 0);
  const rate = scalar(agent, Scalar.ActorLearningRate);
  const clip = descend(agent, 0, agent.actorBytes, rate, State.ActorBeta1Power, Stat.ActorGradientNorm);
  if (clip == REFUSED) skip(agent);
  else setCounter(agent, State.ActorUpdates, counter(agent, State.ActorUpdates) + 1);
}
