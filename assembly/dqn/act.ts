/** Chooses among the available actions. */
import { Scalar, Status } from "../abi";
import { inputsOf, scalar } from "../core";
import { valuesOfCandidates, valuesOfRow, valuesOfStates } from "../network/forward";
import { below, Rng, uniform } from "../rng";
import { greedySlate } from "../slate";
import { bytesOf } from "../sparse";
import { inputsAreValid } from "../storage";
import { best, boltzmann, countOf, drawn, duel, expectations, isAvailable, packBits } from "../values";
import { Agent, hasCandidates, weightsOf } from "./agent";
import { valuesOfSlate } from "./slates";

/** Whether the staged observation and `count` staged candidates lie in their bounds. */
function statusOf(agent: Agent, count: i32): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  return inputsAreValid(agent.features, count, agent.candidates) ? Status.Ok : Status.BadCandidate;
}

/**
 * Q of the staged observation for all actions, or for `count` staged candidates, to values. isExploring: whether noisy
 * weights carry their noise.
 */
export function evaluate(agent: Agent, count: i32, isExploring: bool): Status {
  const status = statusOf(agent, count);
  if (status != Status.Ok) return status;
  const noise = noiseOf(agent, isExploring);
  if (agent.slate) scoreSlate(agent, count, noise);
  else score(agent, count, noise, 0);
  return status;
}

/** Where noise comes from, if weights are to carry it. */
export function noiseOf(agent: Agent, isExploring: bool): Rng | null {
  return agent.isNoisy && isExploring ? agent.exploreRng : null;
}

/** Q and weights of the choice of nothing and of `count` staged candidates. */
function scoreSlate(agent: Agent, count: i32, noise: Rng | null): void {
  const params = weightsOf(agent, agent.online, noise);
  const rows = agent.candidates - bytesOf(agent.features);
  valuesOfSlate(agent, params, inputsOf(agent), count, rows, agent.values - 4, agent.choices - 4);
}

/** The same with noise where a generator is given, and -infinity for actions outside the staged mask. */
function score(agent: Agent, count: i32, noise: Rng | null, bits: usize): void {
  const c = hasCandidates(agent) ? count : agent.actions;
  if (c == 0) return;
  const params = weightsOf(agent, agent.online, noise);
  const theta = agent.quantiles == 1 ? agent.values : agent.matrix;
  const x = inputsOf(agent);
  if (hasCandidates(agent)) {
    valuesOfCandidates(agent.net, params, x, count, agent.candidates, theta);
  } else {
    valuesOfRow(agent.net, params, x, theta);
  }
  if (agent.isDueling) {
    valuesOfStates(agent.net, params, 1, x, 0, agent.v);
    duel(c, agent.quantiles, agent.v, theta, agent.isCentred);
  }
  expectations(c, agent.quantiles, theta, bits, agent.values);
}

/** The staged mask in bits; 0 where actions carry none. */
function stagedBits(agent: Agent): usize {
  if (!agent.replay.masked) return 0;
  packBits(agent.actions, agent.mask, agent.bits);
  return agent.bits;
}

/**
 * Epsilon-greedy choice for the staged observation, candidates or mask: an index, -1 where nothing is available,
 * or -1 - Status for an input out of its bounds, which is refused before anything is drawn. The random draw comes
 * before the forward, which exploring does not need; a softmax draws behind it.
 * isExploring: whether noisy weights carry their noise, and actions are drawn by a softmax of their values.
 */
export function act(agent: Agent, count: i32, isExploring: bool): i32 {
  const status = statusOf(agent, count);
  if (status != Status.Ok) return -1 - status;
  const bits = stagedBits(agent);
  const c = hasCandidates(agent) ? count : agent.actions;
  const available = countOf(c, bits);
  if (available == 0) return -1;
  const epsilon = scalar(agent, Scalar.Exploration);
  const temperature = temperatureOf(agent, isExploring);
  if (temperature > 0) {
    score(agent, count, noiseOf(agent, isExploring), bits);
    return draw(agent, c, available, agent.values, bits, temperature, epsilon);
  }
  if (epsilon > 0 && uniform(agent.exploreRng) < epsilon) {
    const chosen = i32(below(agent.exploreRng, available));
    return bits ? nthAvailable(bits, chosen) : chosen;
  }
  score(agent, count, noiseOf(agent, isExploring), bits);
  return best(c, agent.values, bits);
}

/** The temperature by which actions are drawn now; 0: the best one is taken. */
export function temperatureOf(agent: Agent, isExploring: bool): f64 {
  return agent.isBoltzmann && isExploring ? scalar(agent, Scalar.Boltzmann) : 0;
}

/** An action of values q(c) by one draw, whose chances are left in the agent. */
export function draw(
  agent: Agent,
  c: i32,
  available: i32,
  q: usize,
  bits: usize,
  temperature: f64,
  epsilon: f64,
): i32 {
  boltzmann(c, available, q, bits, temperature, epsilon, agent.propensities);
  return drawn(c, agent.propensities, uniform(agent.exploreRng));
}

/**
 * Epsilon-greedy slate of the staged candidates, as many as there are, to `shown`: how many, or -Status. One that explores
 * is any, in any order, with the same chance.
 */
export function actSlate(agent: Agent, count: i32, isExploring: bool): i32 {
  const status = statusOf(agent, count);
  if (status != Status.Ok) return -status;
  const k = min(agent.slate, count);
  const epsilon = scalar(agent, Scalar.Exploration);
  if (epsilon > 0 && uniform(agent.exploreRng) < epsilon) {
    shuffle(agent.exploreRng, count, k, agent.taken, agent.shown);
  } else {
    scoreSlate(agent, count, noiseOf(agent, isExploring));
    greedySlate(count, k, agent.values - 4, agent.choices - 4, agent.taken, agent.shown);
  }
  return k;
}

/** k of the first c integers, drawn without replacement. rest: scratch, i32 (c). */
function shuffle(rng: Rng, c: i32, k: i32, rest: usize, drawn: usize): void {
  for (let i = 0; i < c; i++) store<i32>(rest + (usize(i) << 2), i);
  for (let i = 0; i < k; i++) {
    const at = rest + (usize(below(rng, c - i)) << 2);
    store<i32>(drawn + (usize(i) << 2), load<i32>(at));
    store<i32>(at, load<i32>(rest + (usize(c - i - 1) << 2)));
  }
}

/** The n-th available action, from 0. */
export function nthAvailable(bits: usize, n: i32): i32 {
  let a = 0;
  while (!isAvailable(bits, a) || n-- > 0) a++;
  return a;
}
