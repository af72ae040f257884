/** Choosing among what is available. */
import { Status } from "../abi";
import { valuesOfCandidates, valuesOfRow, valuesOfStates } from "../network";
import { below, Rng, uniform } from "../rng";
import { best, countOf, duel, expectations, isAvailable, packBits } from "../values";
import { inputsAreValid } from "../replay";
import { Agent, hasCandidates, weightsOf } from "./agent";

/** Q of the staged observation for all actions, or for `count` staged candidates, to values. */
export function evaluate(agent: Agent, count: i32): Status {
  return score(agent, count, null, 0);
}

/** The same with noise where a generator is given, and -infinity for what the staged mask's bits do not offer. */
function score(agent: Agent, count: i32, noise: Rng | null, bits: usize): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  if (!inputsAreValid(agent.features, count, agent.candidates)) return Status.BadCandidate;
  const c = hasCandidates(agent) ? count : agent.actions;
  if (c == 0) return Status.Ok;
  const params = weightsOf(agent, agent.online, noise);
  if (hasCandidates(agent)) {
    valuesOfCandidates(agent.net, params, agent.inputs, count, agent.candidates, agent.matrix);
  } else {
    valuesOfRow(agent.net, params, agent.inputs, agent.matrix);
  }
  if (agent.isDueling) {
    valuesOfStates(agent.net, params, 1, agent.inputs, 0, agent.v);
    duel(c, agent.quantiles, agent.v, agent.matrix, stagedBits(agent));
  }
  expectations(c, agent.quantiles, agent.matrix, bits, agent.values);
  return Status.Ok;
}

/** The staged mask in bits; 0 where actions carry none. */
function stagedBits(agent: Agent): usize {
  if (!agent.replay.masked) return 0;
  packBits(agent.actions, agent.mask, agent.bits);
  return agent.bits;
}

/**
 * Epsilon-greedy choice for the staged observation, candidates or mask: an index, -1 where nothing is available,
 * or -1 - Status for an input that is not finite. The random draw comes first, so exploring costs no forward.
 * isExploring: whether noisy weights carry their noise.
 */
export function act(agent: Agent, count: i32, epsilon: f64, isExploring: bool): i32 {
  const bits = stagedBits(agent);
  const c = hasCandidates(agent) ? count : agent.actions;
  const available = countOf(c, bits);
  if (available == 0) return -1;
  if (epsilon > 0 && uniform(agent.exploreRng) < epsilon) {
    const chosen = i32(below(agent.exploreRng, available));
    return bits ? nthAvailable(bits, chosen) : chosen;
  }
  const noise: Rng | null = agent.isNoisy && isExploring ? agent.exploreRng : null;
  const status = score(agent, count, noise, bits);
  return status == Status.Ok ? best(c, agent.values, bits) : -1 - status;
}

function nthAvailable(bits: usize, n: i32): i32 {
  let a = 0;
  while (!isAvailable(bits, a) || n-- > 0) a++;
  return a;
}
