/** Values and choices for many states at once: of each state the bits that it has alone. */
import { Scalar, Status } from "../abi";
import { isNormalised, see, setScalar } from "../core";
import { valuesOfRows, valuesOfSets, valuesOfStates } from "../network/forward";
import { below, uniform } from "../rng";
import { bytesOf } from "../sparse";
import { inputsAreValid } from "../storage";
import { best, countOf, duel, expectations, packBits } from "../values";
import { act, draw, noiseOf, nthAvailable, temperatureOf } from "./act";
import { Agent, hasCandidates, weightsOf } from "./agent";

/** The staged candidates of all states. */
function candidatesAt(agent: Agent): usize {
  return agent.states + bytesOf(agent.observation) * agent.batch;
}

/** How many actions staged state s offers, masked ones included. */
function offeredBy(agent: Agent, s: i32): i32 {
  return hasCandidates(agent) ? load<i32>(agent.counts + (usize(s) << 2)) : agent.actions;
}

/** Of all states together, the values that evaluateBatch writes. */
function offered(agent: Agent, states: i32): i32 {
  let n = 0;
  for (let s = 0; s < states; s++) n += offeredBy(agent, s);
  return n;
}

function statusOf(agent: Agent, states: i32): Status {
  if (!inputsAreValid(agent.observation, states, agent.states)) return Status.BadObservation;
  if (!hasCandidates(agent)) return Status.Ok;
  const areValid = inputsAreValid(agent.features, offered(agent, states), candidatesAt(agent));
  return areValid ? Status.Ok : Status.BadCandidate;
}

/**
 * Q of `states` staged states, in place of what is in the matrix: of each in turn its actions or candidates. Requires
 * 0 < states <= batch, and no more candidates in all than there is room for.
 */
export function evaluateBatch(agent: Agent, states: i32): Status {
  const status = statusOf(agent, states);
  if (status == Status.Ok) score(agent, states);
  return status;
}

function score(agent: Agent, states: i32): void {
  const n = offered(agent, states);
  if (n == 0) return;
  const params = weightsOf(agent, agent.online, null);
  let x = agent.states;
  let ldx = bytesOf(agent.observation);
  if (isNormalised(agent)) {
    for (let s: usize = 0; s < usize(states); s++) see(agent, x + ldx * s, agent.x + agent.ldx * s);
    x = agent.x;
    ldx = agent.ldx;
  }
  if (hasCandidates(agent)) {
    const u = agent.net.dy;
    valuesOfSets(agent.net, params, states, x, ldx, n, agent.counts, candidatesAt(agent), u, agent.matrix);
  } else valuesOfRows(agent.net, params, states, x, ldx, agent.matrix);
  const quantiles = agent.quantiles;
  if (agent.isDueling) {
    valuesOfStates(agent.net, params, states, x, ldx, agent.v);
    let theta = agent.matrix;
    for (let s = 0; s < states; s++) {
      const c = offeredBy(agent, s);
      duel(c, quantiles, agent.v + ((usize(s) * usize(quantiles)) << 2), theta, agent.isCentred);
      theta += (usize(c) * usize(quantiles)) << 2;
    }
  }
  // A mean never lies behind its quantiles.
  expectations(n, quantiles, agent.matrix, 0, agent.matrix);
}

/** A state whose action needs its values, until it is known. */
const BEST: i32 = -2;

/**
 * Epsilon-greedy actions of `states` staged states, each with an epsilon of its own: an index, or -1 where nothing is
 * available. They are those of as many calls of act, and so is what is drawn. Requires what evaluateBatch does.
 */
export function actBatch(agent: Agent, states: i32, isExploring: bool): Status {
  const status = statusOf(agent, states);
  if (status != Status.Ok) return status;
  if (noiseOf(agent, isExploring)) {
    // Each has weights of its own.
    alone(agent, states);
    return status;
  }
  const temperature = temperatureOf(agent, isExploring);
  let isScored = false;
  for (let s = 0; s < states; s++) {
    const action = explore(agent, s, temperature > 0);
    store<i32>(agent.selected + (usize(s) << 2), action);
    isScored = isScored || action == BEST;
  }
  if (!isScored) return status;
  score(agent, states);
  let q = agent.matrix;
  for (let s = 0; s < states; s++) {
    const at = agent.selected + (usize(s) << 2);
    const c = offeredBy(agent, s);
    if (load<i32>(at) == BEST) {
      const bits = bitsOf(agent, s);
      if (bits) expectations(c, 1, q, bits, q);
      const epsilon = load<f64>(agent.epsilons + (usize(s) << 3));
      const action =
        temperature > 0 ? draw(agent, c, countOf(c, bits), q, bits, temperature, epsilon) : best(c, q, bits);
      store<i32>(at, action);
    }
    q += usize(c) << 2;
  }
  return status;
}

/** The mask of staged state s in bits; 0 where actions carry none. */
function bitsOf(agent: Agent, s: i32): usize {
  if (!agent.replay.masked) return 0;
  packBits(agent.actions, agent.masks + usize(agent.actions) * usize(s), agent.bits);
  return agent.bits;
}

/** A random action of state s, -1 where nothing is available, or BEST; isLater: what is random needs its values. */
function explore(agent: Agent, s: i32, isLater: bool): i32 {
  const bits = bitsOf(agent, s);
  const available = countOf(offeredBy(agent, s), bits);
  if (available == 0) return -1;
  if (isLater) return BEST;
  const epsilon = load<f64>(agent.epsilons + (usize(s) << 3));
  if (!(epsilon > 0 && uniform(agent.exploreRng) < epsilon)) return BEST;
  const chosen = i32(below(agent.exploreRng, available));
  return bits ? nthAvailable(bits, chosen) : chosen;
}

/** One state after the other, by noisy weights. */
function alone(agent: Agent, states: i32): void {
  const size = bytesOf(agent.observation);
  let set = candidatesAt(agent);
  for (let s = 0; s < states; s++) {
    const count = offeredBy(agent, s);
    memory.copy(agent.inputs, agent.states + size * s, size);
    if (hasCandidates(agent)) memory.copy(agent.candidates, set, bytesOf(agent.features) * count);
    else if (agent.replay.masked) memory.copy(agent.mask, agent.masks + usize(agent.actions) * s, agent.actions);
    setScalar(agent, Scalar.Exploration, load<f64>(agent.epsilons + (usize(s) << 3)));
    store<i32>(agent.selected + (usize(s) << 2), act(agent, count, true));
    set += bytesOf(agent.features) * count;
  }
}
