/** Chooses among the available actions. */
import { Scalar, Status } from "../abi";
import { valuesOfCandidates, valuesOfRow, valuesOfStates } from "../network/forward";
import { below, Rng, uniform } from "../rng";
import { inputsAreValid } from "../storage";
import { best, countOf, duel, expectations, isAvailable, packBits } from "../values";
import { Agent, hasCandidates, scalar, weightsOf } from "./agent";

/** Whether the staged observation and `count` staged candidates lie in their bounds. */
function statusOf(agent: Agent, count: i32): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  return inputsAreValid(agent.features, count, agent.candidates) ? Status.Ok : Status.BadCandidate;
}

/** Q of the staged observation for all actions, or for `count` staged candidates, to values. */
export function evaluate(agent: Agent, count: i32): Status {
  const status = statusOf(agent, count);
  if (status == Status.Ok) score(agent, count, null, 0);
  return status;
}

/** The same with noise where a generator is given, and -infinity for actions outside the staged mask. */
function score(agent: Agent, count: i32, noise: Rng | null, bits: usize): void {
  const c = hasCandidates(agent) ? count : agent.actions;
  if (c == 0) return;
  const params = weightsOf(agent, agent.online, noise);
  const theta = agent.quantiles == 1 ? agent.values : agent.matrix;
  if (hasCandidates(agent)) {
    valuesOfCandidates(agent.net, params, agent.inputs, count, agent.candidates, theta);
  } else {
    valuesOfRow(agent.net, params, agent.inputs, theta);
  }
  if (agent.isDueling) {
    valuesOfStates(agent.net, params, 1, agent.inputs, 0, agent.v);
    duel(c, agent.quantiles, agent.v, theta, stagedBits(agent));
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
 * before the forward, which exploring does not need.
 * isExploring: whether noisy weights carry their noise.
 */
export function act(agent: Agent, count: i32, isExploring: bool): i32 {
  const status = statusOf(agent, count);
  if (status != Status.Ok) return -1 - status;
  const bits = stagedBits(agent);
  const c = hasCandidates(agent) ? count : agent.actions;
  const available = countOf(c, bits);
  if (available == 0) return -1;
  const epsilon = scalar(agent, Scalar.Exploration);
  if (epsilon > 0 && uniform(agent.exploreRng) < epsilon) {
    const chosen = i32(below(agent.exploreRng, available));
    return bits ? nthAvailable(bits, chosen) : chosen;
  }
  const noise: Rng | null = agent.isNoisy && isExploring ? agent.exploreRng : null;
  score(agent, count, noise, bits);
  return best(c, agent.values, bits);
}

function nthAvailable(bits: usize, n: i32): i32 {
  let a = 0;
  while (!isAvailable(bits, a) || n-- > 0) a++;
  return a;
}
