/**
 * Targets of the sampled transitions: y(b, i) = return + discount * value of the next state, for each quantile.
 * Mnih et al. 2015; Double: van Hasselt, Guez & Silver 2016, arXiv:1509.06461.
 */
import { Scalar } from "../abi";
import { scalar } from "../core";
import { bellman, munchausen, softValue } from "../bellman";
import { packOutputs, valuesOfActions, valuesOfBatch, valuesOfCandidates, valuesOfStates } from "../network/forward";
import { actionOf, bitsOf, countOf, discountOf, nextBitsOf, nextCountOf, returnOf, staged } from "../replay";
import { Rng } from "../rng";
import { scaledReturn } from "../running";
import { bytesOf } from "../sparse";
import { unpack } from "../storage";
import { best, countOf as countAvailable, duel, expectations } from "../values";
import { copy } from "../vector";
import { Agent, hasCandidates, sampleAt, weightsOf } from "./agent";
import { slateValues } from "./slates";

/** Fills y. */
export function targets(agent: Agent): void {
  const noise: Rng | null = agent.isNoisy ? agent.noiseRng : null;
  if (agent.isMunchausen) {
    // One draw of noise for both states.
    const params = weightsOf(agent, agent.target, noise);
    softTargets(agent, params);
    addMunchausen(agent, params);
    return;
  }
  if (agent.slate) slateValues(agent, noise);
  else {
    select(agent, agent.isDouble ? agent.online : agent.target, noise);
    if (agent.isDouble) evaluateSelected(agent, weightsOf(agent, agent.target, noise));
  }
  const bytes = usize(agent.quantiles) << 2;
  const each = bytes / usize(agent.parts);
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const hasValue = agent.slate || load<i32>(agent.selected + (b << 2)) >= 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const at = agent.y + b * bytes + i;
      store<f32>(at, target(agent, b, i32(i / each), hasValue ? load<f32>(at) : 0));
    }
  }
}

/** The Bellman target of sample b for a value of its next state, of part p of the reward. */
function target(agent: Agent, b: usize, p: i32, value: f32): f32 {
  const row = sampleAt(agent, b);
  const reward = scaledReturn(agent.running, agent.tail.n, returnOf(agent.replay, row, p));
  return bellman(reward, discountOf(agent.replay, row), value);
}

/** All action values of a batch of states at once, where actions are fixed; candidates come one state at a time. */
function beginStates(agent: Agent, params: usize, source: usize, x: usize): void {
  if (hasCandidates(agent)) return;
  const ldx = agent.ldx;
  const isTarget = source == agent.target && !agent.isNoisy;
  if (!isTarget || !agent.panelsAreTargets) packOutputs(agent.net, params, agent.panels);
  agent.panelsAreTargets = isTarget;
  valuesOfBatch(agent.net, params, agent.panels, agent.batch, x, ldx, agent.matrix);
  if (agent.isDueling) valuesOfStates(agent.net, params, agent.batch, x, ldx, agent.v);
}

/** How many actions sample b offers, in its next state or in its own. */
function countOfState(agent: Agent, row: usize, isNext: bool): i32 {
  if (!hasCandidates(agent)) return agent.actions;
  return isNext ? nextCountOf(agent.replay, row) : countOf(agent.replay, row);
}

/** The mask of a state of the sampled row; 0 where all its actions are available. */
function bitsOfState(agent: Agent, row: usize, isNext: bool): usize {
  return isNext ? nextBitsOf(agent.replay, row) : bitsOf(agent.replay, row);
}

/** theta (c, quantiles) of a state of sample b behind beginStates, and its means at agent.means. Requires c > 0. */
function valuesOfState(agent: Agent, params: usize, b: usize, isNext: bool, c: i32): usize {
  const row = sampleAt(agent, b);
  const n = agent.quantiles;
  const bits = bitsOfState(agent, row, isNext);
  let theta = agent.matrix;
  let v = agent.v;
  if (hasCandidates(agent)) {
    const x = (isNext ? agent.nextX : agent.x) + b * agent.ldx;
    const at = isNext ? row + agent.replay.nextCandidates : row + agent.replay.candidates;
    const set = staged(agent.replay, agent.features, c, at);
    valuesOfCandidates(agent.net, params, x, c, set, theta);
    if (agent.isDueling) valuesOfStates(agent.net, params, 1, x, 0, v);
  } else {
    theta += b * (usize(agent.net.head.columns) << 2);
    v += b * (usize(n) << 2);
  }
  if (agent.isDueling) duel(c, n, v, theta, agent.isCentred);
  const isMean = n == 1 && !bits;
  agent.means = isMean ? theta : agent.q;
  if (!isMean) expectations(c, n, theta, bits, agent.q);
  return theta;
}

/**
 * selected(b) = the best available action of the next state by the weights at `source`, -1 for none; y(b, .) = its
 * quantiles. The features of the selected candidate complete nextX(b).
 */
function select(agent: Agent, source: usize, noise: Rng | null): void {
  const params = weightsOf(agent, source, noise);
  beginStates(agent, params, source, agent.nextX);
  const replay = agent.replay;
  const bytes = usize(agent.quantiles) << 2;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    const c = countOfState(agent, row, true);
    let chosen = -1;
    // A discount of 0 needs no value: a forward of candidates is saved.
    if (c > 0 && (discountOf(replay, row) != 0 || !hasCandidates(agent))) {
      const theta = valuesOfState(agent, params, b, true, c);
      chosen = best(c, agent.means, nextBitsOf(replay, row));
      if (chosen >= 0) copy(agent.y + b * bytes, theta + bytes * chosen, bytes);
    }
    if (hasCandidates(agent)) {
      const features = agent.nextX + b * agent.ldx + bytesOf(agent.observation);
      // Double evaluates the other candidates too, and index inputs must be in their bounds.
      if (chosen < 0) memory.fill(features, 0, bytesOf(agent.features));
      else unpack(agent.features, 1, row + replay.nextCandidates + replay.featureBytes * chosen, features);
    }
    store<i32>(agent.selected + (b << 2), chosen);
  }
}

/** y(b, .) = the quantiles of the selected next action by other weights: Double. */
function evaluateSelected(agent: Agent, params: usize): void {
  const n = agent.quantiles;
  if (!agent.isCentred) {
    // One output a row is enough.
    const actions: usize = hasCandidates(agent) ? 0 : agent.selected;
    valuesOfActions(agent.net, params, agent.batch, agent.nextX, agent.ldx, actions, n, agent.y);
    if (agent.isDueling) addValues(agent, params, agent.nextX, agent.y);
    return;
  }
  beginStates(agent, params, agent.target, agent.nextX);
  const bytes = usize(n) << 2;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const chosen = load<i32>(agent.selected + (b << 2));
    if (chosen < 0) continue;
    const c = countOfState(agent, sampleAt(agent, b), true);
    memory.copy(agent.y + b * bytes, valuesOfState(agent, params, b, true, c) + bytes * chosen, bytes);
  }
}

/** theta(b, .) += the values of the states x(b), where candidates are scored one a state. */
export function addValues(agent: Agent, params: usize, x: usize, theta: usize): void {
  valuesOfStates(agent.net, params, agent.batch, x, agent.ldx, agent.v);
  duel(1, agent.batch * agent.quantiles, agent.v, theta, false);
}

/** y = return + discount * soft value of the next state. */
function softTargets(agent: Agent, params: usize): void {
  beginStates(agent, params, agent.target, agent.nextX);
  const n = agent.quantiles;
  const temperature = f32(scalar(agent, Scalar.Temperature));
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    const y = agent.y + b * (usize(n) << 2);
    const c = countOfState(agent, row, true);
    memory.fill(y, 0, usize(n) << 2);
    if (discountOf(agent.replay, row) != 0 && countAvailable(c, nextBitsOf(agent.replay, row)) > 0) {
      const theta = valuesOfState(agent, params, b, true, c);
      softValue(c, n, theta, agent.means, temperature, agent.p, y);
    }
    for (let i: usize = 0; i < usize(n) << 2; i += 4) store<f32>(y + i, target(agent, b, 0, load<f32>(y + i)));
  }
}

/** Adds Munchausen's scaled log-policy of the action taken, by the target network on the state it was taken in. */
function addMunchausen(agent: Agent, params: usize): void {
  beginStates(agent, params, agent.target, agent.x);
  const alpha = f32(scalar(agent, Scalar.Munchausen));
  const temperature = f32(scalar(agent, Scalar.Temperature));
  const clip = f32(scalar(agent, Scalar.Clip));
  const n = agent.quantiles;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    const c = countOfState(agent, row, false);
    valuesOfState(agent, params, b, false, c);
    const action = actionOf(agent.replay, row);
    const bonus = munchausen(c, agent.means, action, alpha, temperature, clip, agent.p);
    const y = agent.y + b * (usize(n) << 2);
    for (let i: usize = 0; i < usize(n) << 2; i += 4) store<f32>(y + i, load<f32>(y + i) + bonus);
  }
}
