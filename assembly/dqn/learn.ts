/** One training step: sample, targets, loss and gradient, optimiser step, priorities, target network. */
import { Normalization, Scalar, Stat, STAT_DECAY, State } from "../abi";
import { counter, filled, scalar, setCounter, setStat, stat } from "../core";
import { descend, REFUSED } from "../descent";
import { conservative, quantileLoss, tdLoss } from "../loss";
import { exp, log } from "../math";
import { backward, backwardInput, headOfActions, headOfAll } from "../network/backward";
import { packOutputs, valuesOfActions, valuesOfBatch, valuesOfRows, valuesOfStates } from "../network/forward";
import { layerAt, setTraining } from "../network/plan";
import { freeze, keepStatistics, noiseBackward, statisticsAreSafe } from "../network/weights";
import {
  actionOf,
  bitsOf,
  countOf,
  importanceWeights,
  readStep,
  rowAt,
  samplePrioritized,
  sampleUniform,
  shownOf,
} from "../replay";
import { Rng } from "../rng";
import { normalise, refresh } from "../running";
import { choiceLoss, conservativeSlate, joinChoices, splitChoices } from "../slate";
import { bytesOf } from "../sparse";
import { unpack } from "../storage";
import { setPriorities, totalOf } from "../sumtree";
import { duel, duelBackward, expectations } from "../values";
import { Agent, areInPlace, hasCandidates, needsAll, sampleAt, syncTarget, weightsOf } from "./agent";
import { sumsOfParts } from "./slates";
import { addValues, targets } from "./targets";

/**
 * One update with the numbers from Scalar.LearningRate on; returns the loss. NaN, and nothing changed but two counters and the draws,
 * where the loss, the gradient or a statistic is not finite or beyond its bound. Requires a transition in the replay.
 */
export function update(agent: Agent): f32 {
  refresh(agent.running);
  const isWeighted = sample(agent);
  const loss = gradient(agent, isWeighted);
  setStat(agent, Stat.Tried, stat(agent, Stat.Tried) + 1);
  setStat(agent, Stat.Loss, loss);
  setStat(agent, Stat.GradientNorm, NaN);
  setStat(agent, Stat.IsWeighted, f64(isWeighted));
  if (!isFinite(loss) || !statisticsAreSafe(agent.net) || !step(agent)) {
    setCounter(agent, State.Skipped, counter(agent, State.Skipped) + 1);
    setCounter(agent, State.SkippedStep, counter(agent, State.Steps));
    return NaN;
  }
  setStat(agent, Stat.LossSum, stat(agent, Stat.LossSum) * STAT_DECAY + loss);
  if (agent.net.normalization == Normalization.Batch) {
    keepStatistics(agent.net, agent.online, rowsOfPass(agent), agent.batch);
  }
  if (agent.isPrioritized) prioritize(agent);
  const updates = counter(agent, State.Updates) + 1;
  setCounter(agent, State.Updates, updates);
  const isDue = i64(updates) % i64(scalar(agent, Scalar.TargetEvery)) == 0;
  if (isDue) syncTarget(agent, f32(scalar(agent, Scalar.Tau)));
  return loss;
}

/** Draws a batch; whether by priorities. Where all priorities are 0 it is uniform. */
function sample(agent: Agent): bool {
  const size = filled(agent);
  const isWeighted = agent.isPrioritized && totalOf(agent.tree) > 0;
  if (isWeighted) {
    samplePrioritized(agent.tree, agent.sampleRng, agent.batch, agent.draws, agent.indices);
    const beta = scalar(agent, Scalar.ImportanceExponent);
    importanceWeights(agent.tree, size, agent.batch, beta, agent.indices, agent.weights);
  } else {
    sampleUniform(agent.sampleRng, size, agent.batch, agent.indices);
  }
  for (let b: usize = 0; b < usize(agent.batch) << 2; b += 4) {
    store<usize>(agent.sampled + b, rowAt(agent.replay, load<i32>(agent.indices + b)));
  }
  return isWeighted;
}

/** Above this, sums of 2^31 priorities would leave the range of f32. */
export const PRIORITY_MAX: f32 = 1e28;

/**
 * The priority of each drawn row is |TD error|^alpha; of a row drawn twice the last one counts, which is the same. They
 * take the place of the gradient of the predictions, which is spent.
 */
function prioritize(agent: Agent): void {
  const priorities = agent.dtheta;
  const alpha = scalar(agent, Scalar.PriorityExponent);
  let largest = f32(counter(agent, State.MaxPriority));
  for (let b: usize = 0; b < usize(agent.batch) << 2; b += 4) {
    const error = abs(load<f32>(agent.td + b));
    const priority: f32 = error == 0 ? 0 : min(PRIORITY_MAX, f32(exp(alpha * log(error))));
    store<f32>(priorities + b, priority);
    largest = max(largest, priority);
  }
  setPriorities(agent.tree, agent.batch, agent.indices, priorities);
  setCounter(agent, State.MaxPriority, f64(largest));
}

/** Mean loss of the sampled rows, and its gradient. */
function gradient(agent: Agent, isWeighted: bool): f32 {
  gather(agent);
  targets(agent);
  const noise: Rng | null = agent.isNoisy ? agent.noiseRng : null;
  const params = noise ? weightsOf(agent, agent.online, noise) : agent.online;
  const weights: usize = isWeighted ? agent.weights : 0;
  if (hasCandidates(agent) && needsAll(agent)) writeSets(agent, agent.ldx);
  setTraining(agent.net, true, agent.noiseRng, scalar(agent, Scalar.Dropout));
  let loss = lossOf(agent, params, weights);
  if (agent.isAdversarial) {
    attack(agent, params, f32(scalar(agent, Scalar.Adversarial)));
    loss = lossOf(agent, params, weights);
  }
  setTraining(agent.net, false, agent.noiseRng, 0);
  if (noise) noiseBackward(agent.net, agent.gradient);
  const frozen = i32(scalar(agent, Scalar.FrozenUnits));
  if (frozen) freeze(agent.net, agent.gradient, frozen);
  return loss;
}

/**
 * The actions of the sampled rows; x(b) = [observation | chosen candidate] and the next observations, where they are not
 * read in place. There every line is read once: many come from far at a time, where a product would wait for each.
 */
function gather(agent: Agent): void {
  const replay = agent.replay;
  const ldx = agent.ldx;
  let read = 0;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    if (areInPlace(agent)) {
      for (let line = row, end = row + replay.values; line < end; line += 64) read ^= load<i32>(line);
    } else {
      readStep(replay, row, agent.x + b * ldx);
      unpack(replay.observation, 1, row + replay.nextObservation, agent.nextX + b * ldx);
      normalise(agent.running, agent.x + b * ldx);
      normalise(agent.running, agent.nextX + b * ldx);
    }
    store<i32>(agent.actionOfRow + (b << 2), actionOf(replay, row));
  }
  // So that no compiler leaves the reads out; the target takes its place.
  store<i32>(agent.y, read);
}

/** The loss of the predictions from the rows of the batch, and its gradient. */
function lossOf(agent: Agent, params: usize, weights: usize): f32 {
  return needsAll(agent) ? lossOfAll(agent, params, weights) : lossOfTaken(agent, params, weights);
}

/**
 * Moves each number of these rows by epsilon where the loss rises: x += epsilon sign(d loss / d x), behind its backward. The
 * observation of a set is one, and the features of nothing stay 0. Goodfellow, Shlens & Szegedy 2015, arXiv:1412.6572.
 */
function attack(agent: Agent, params: usize, epsilon: f32): void {
  backwardInput(agent.net, params, rowsOfPass(agent), agent.dinput);
  const isOfSets = hasCandidates(agent) && needsAll(agent);
  const x = isOfSets ? agent.setRows : agent.x;
  const seen = bytesOf(agent.observation);
  const all = usize(layerAt(agent.net, 0).inputs) << 2;
  for (let b = 0; b < agent.batch; b++) {
    const from = isOfSets ? startOf(agent, b) : b;
    const to = isOfSets ? startOf(agent, b + 1) : b + 1;
    const first = agent.dinput + agent.ldx * from;
    for (let r = from; r < to; r++) {
      const d = agent.dinput + agent.ldx * r;
      if (r > from) for (let i: usize = 0; i < seen; i += 4) store<f32>(first + i, load<f32>(first + i) + load<f32>(d + i));
    }
    for (let r = from; r < to; r++) {
      const row = agent.ldx * r;
      const end = agent.slate && r == from ? seen : all;
      for (let i: usize = 0; i < end; i += 4) {
        const d = load<f32>((i < seen ? first : agent.dinput + row) + i);
        if (d != 0) store<f32>(x + row + i, load<f32>(x + row + i) + copysign<f32>(epsilon, d));
      }
    }
  }
}

/**
 * The loss of predictions theta against y: TD errors, and dtheta. The losses of parts are summed, so that each part
 * learns as it would alone; the TD error is that of their sum. van Seijen et al. 2017, arXiv:1706.04208.
 */
function lossOfTheta(agent: Agent, weights: usize): f32 {
  const parts = agent.parts;
  const rows = agent.batch * parts;
  const n = agent.quantiles / parts;
  const w = parts > 1 ? weightsOfParts(agent, weights) : weights;
  const loss =
    n > 1
      ? quantileLoss(rows, n, agent.theta, agent.y, w, agent.td, agent.dtheta)
      : tdLoss(rows, agent.theta, agent.y, agent.isSquared, w, agent.td, agent.dtheta);
  if (parts > 1) {
    for (let b = 0; b < agent.batch; b++) {
      let sum: f32 = 0;
      for (let p = 0; p < parts; p++) sum += load<f32>(agent.td + (usize(b * parts + p) << 2));
      store<f32>(agent.td + (usize(b) << 2), sum);
    }
  }
  return loss;
}

/** Weights (batch, parts) under which the mean over all rows is a sum over parts. */
function weightsOfParts(agent: Agent, weights: usize): usize {
  const parts = agent.parts;
  for (let i = 0; i < agent.batch * parts; i++) {
    const weight: f32 = weights ? load<f32>(weights + (usize(i / parts) << 2)) : 1;
    store<f32>(agent.partWeights + (usize(i) << 2), weight * f32(parts));
  }
  return agent.partWeights;
}

/** Only the actions taken have a gradient: one row a sample, and of the head one output a quantile. */
function lossOfTaken(agent: Agent, params: usize, weights: usize): f32 {
  const batch = agent.batch;
  const n = agent.quantiles;
  const ldx = agent.ldx;
  const actions: usize = hasCandidates(agent) ? 0 : agent.actionOfRow;
  valuesOfActions(agent.net, params, batch, agent.x, ldx, actions, n, agent.theta);
  if (agent.isDueling) addValues(agent, params, agent.x, agent.theta);
  const loss = lossOfTheta(agent, weights);
  headOfActions(agent.net, params, agent.gradient, batch, actions, n, agent.dtheta);
  backward(agent.net, params, agent.gradient, batch, agent.x, ldx, batch, agent.x, ldx, gradientOfValues(agent));
  return loss;
}

/** Of the value stream, or 0 without one: a state's value is a term of what is predicted. */
function gradientOfValues(agent: Agent): usize {
  return agent.isDueling ? agent.dtheta : 0;
}

/** All actions have one: in the mean of a dueling head; all that were available, in the conservative term; of a slate. */
function lossOfAll(agent: Agent, params: usize, weights: usize): f32 {
  const n = agent.quantiles;
  const bytes = usize(n) << 2;
  forwardAll(agent, params);
  if (agent.slate) splitChoices(rowsOfPass(agent), n, agent.matrix, agent.u);
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const theta = agent.matrix + offsetOf(agent, b);
    const row = sampleAt(agent, b);
    if (agent.isDueling) duel(countOfSet(agent, b), n, agent.v + b * bytes, theta, agent.isCentred);
    memory.copy(agent.theta + b * bytes, theta + bytes * indexOf(agent, row), bytes);
  }
  let loss = lossOfTheta(agent, weights);
  let term: f64 = 0;
  for (let b: usize = 0; b < usize(agent.batch); b++) term += gradientOfSet(agent, b, weights);
  loss += f32(term);
  backwardAll(agent, params);
  return loss;
}

/** How many actions of sample b are in the pass, masked ones and the nothing of a slate included. */
function countOfSet(agent: Agent, b: usize): i32 {
  return hasCandidates(agent) ? startOf(agent, b + 1) - startOf(agent, b) : agent.actions;
}

/** Where its rows begin among those of all sets. */
// @ts-ignore: decorator
@inline
function startOf(agent: Agent, b: usize): i32 {
  return load<i32>(agent.starts + (b << 2));
}

/** Which of them was taken. */
function indexOf(agent: Agent, row: usize): i32 {
  return actionOf(agent.replay, row) + i32(agent.slate > 0);
}

/** Where the values of sample b begin in the matrix, in bytes. */
function offsetOf(agent: Agent, b: usize): usize {
  if (!hasCandidates(agent)) return b * (usize(agent.net.head.columns) << 2);
  return usize(startOf(agent, b) * agent.quantiles) << 2;
}

/** Rows of the network's training forward. */
function rowsOfPass(agent: Agent): i32 {
  if (!hasCandidates(agent) || !needsAll(agent)) return agent.batch;
  return startOf(agent, usize(agent.batch));
}

/** The matrix of all actions of the sampled states, and the values of the states. */
function forwardAll(agent: Agent, params: usize): void {
  const batch = agent.batch;
  const ldx = agent.ldx;
  if (hasCandidates(agent)) {
    valuesOfRows(agent.net, params, rowsOfPass(agent), agent.setRows, ldx, agent.matrix);
  } else {
    packOutputs(agent.net, params, agent.panels);
    agent.panelsAreTargets = false;
    valuesOfBatch(agent.net, params, agent.panels, batch, agent.x, ldx, agent.matrix);
  }
  if (agent.isDueling) valuesOfStates(agent.net, params, batch, agent.x, ldx, agent.v);
}

/**
 * One row [observation | candidate] for each candidate that a sampled action was chosen from; of slates, one for nothing
 * and, without the conservative term, for those that were shown alone.
 */
function writeSets(agent: Agent, ldx: usize): void {
  const replay = agent.replay;
  const observation = bytesOf(agent.observation);
  let total = 0;
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    store<i32>(agent.starts + (b << 2), total);
    if (agent.slate) {
      const to = agent.setRows + ldx * total++;
      memory.copy(to, agent.x + b * ldx, observation);
      memory.fill(to + observation, 0, bytesOf(agent.features));
    }
    const count = agent.slate && !agent.isConservative ? shownOf(replay, row) : countOf(replay, row);
    for (let i: usize = 0; i < usize(count); i++) {
      const to = agent.setRows + ldx * total++;
      memory.copy(to, agent.x + b * ldx, observation);
      unpack(agent.features, 1, row + replay.candidates + replay.featureBytes * i, to + observation);
    }
  }
  store<i32>(agent.starts + (usize(agent.batch) << 2), total);
}

/** d loss / d matrix of sample b and d u; returns its share of the conservative term and the choice's loss. */
function gradientOfSet(agent: Agent, b: usize, weights: usize): f32 {
  const row = sampleAt(agent, b);
  const n = agent.quantiles;
  const bytes = usize(n) << 2;
  const c = countOfSet(agent, b);
  const action = indexOf(agent, row);
  const d = agent.dmatrix + offsetOf(agent, b);
  let term: f32 = 0;
  memory.fill(d, 0, bytes * c);
  memory.copy(d + bytes * action, agent.dtheta + b * bytes, bytes);
  const weight: f32 = weights ? load<f32>(weights + (b << 2)) : 1;
  if (agent.isConservative) {
    const scale = (f32(scalar(agent, Scalar.Conservative)) * weight) / f32(agent.batch);
    const theta = agent.matrix + offsetOf(agent, b);
    if (agent.slate) sumsOfParts(agent, c, theta, agent.q);
    else expectations(c, n, theta, bitsOf(agent.replay, row), agent.q);
    // Of a sum, the gradient of each part is that of the whole, and not a share of it.
    const parts = f32(agent.parts);
    const whole = scale * parts;
    term = agent.slate
      ? conservativeSlate(c - 1, shownOf(agent.replay, row), n, agent.q, whole, agent.p, d)
      : conservative(c, n, agent.q, action, whole, agent.p, d);
    term /= parts;
  }
  // Over the actions the conservative term's gradient sums to 0: what is left is that of the prediction.
  if (agent.isCentred) duelBackward(c, n, d, agent.dtheta + b * bytes);
  if (agent.slate) {
    const scale = (f32(scalar(agent, Scalar.ChoiceWeight)) * weight) / f32(agent.batch);
    const at = usize(startOf(agent, b)) << 2;
    // Those that were not shown have no part in the choice.
    memory.fill(agent.du + at, 0, usize(c) << 2);
    term += choiceLoss(shownOf(agent.replay, row), agent.u + at, action - 1, scale, agent.p, agent.du + at);
  }
  return term;
}

/** From the gradient of the matrix of action values to the gradient of the weights. */
function backwardAll(agent: Agent, params: usize): void {
  const ldx = agent.ldx;
  const rows = rowsOfPass(agent);
  const x = hasCandidates(agent) ? agent.setRows : agent.x;
  const ldq = usize(hasCandidates(agent) ? agent.net.outputs : agent.net.head.columns) << 2;
  if (agent.slate) joinChoices(rows, agent.quantiles, agent.dmatrix, agent.du);
  headOfAll(agent.net, params, agent.gradient, rows, agent.dmatrix, ldq);
  backward(agent.net, params, agent.gradient, rows, x, ldx, agent.batch, agent.x, ldx, gradientOfValues(agent));
}

/** Takes the optimiser's step; false, and no step, where descend refuses it. */
function step(agent: Agent): bool {
  const rate = scalar(agent, Scalar.LearningRate);
  const clip = descend(agent, 0, agent.trained, rate, State.Beta1Power, Stat.GradientNorm);
  if (clip == REFUSED) return false;
  setStat(agent, Stat.ClippedSum, stat(agent, Stat.ClippedSum) * STAT_DECAY + f64(clip < 1));
  setStat(agent, Stat.WeightSum, stat(agent, Stat.WeightSum) * STAT_DECAY + 1);
  return true;
}
