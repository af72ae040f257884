import { type DQN, Int8Engine, type Int8EngineOptions } from "../../index.js";
import { PlainNetwork } from "../plainnetwork.js";
import { rangesOf } from "../ranges.js";
import { type AgentState, requireStates } from "../state.js";
import { QuantisedAgent, requireServable } from "./quantised.js";
import { roundLayer, writeLayer } from "./rounding.js";

/**
 * An agent with weights of 8 bits that acts as another one does. Each output of a layer has a scale of its own. Inputs of
 * a layer are rounded to 16 bits, and to 8 where there are more than 512 of them, of the range that they have in the
 * calibration, each dense number of an observation or candidate by its own range; what rounding adds in the mean is taken
 * out of the bias.
 *
 * ```ts
 * const small = quantise(agent, observations.map((observation) => ({ observation })));
 * small.act(observation);
 * ```
 *
 * @param agent - It stays as it is; of noisy weights the means are taken.
 * @param calibration - At least one state, best some hundred of those in which it will act: numbers beyond twice the
 *   largest of their kind here are cut off, with more than 512 inputs beyond the largest.
 * @param run - How the new agent runs; this changes no bit of what it gives.
 * @throws TypeError or RangeError for a state that the agent does not take, with its index, and for an agent with more
 *   than 131072 dense inputs.
 */
export function quantise(agent: DQN, calibration: readonly AgentState[], run?: Int8EngineOptions): QuantisedAgent {
  const { options } = agent;
  requireServable(options);
  requireStates("calibration", calibration);
  const network = new PlainNetwork(options, agent.weights());
  const { ranges, visit } = rangesOf(network);
  network.visit(agent, "calibration", calibration, visit);
  const engine = new Int8Engine(options, run);
  for (const l of network.layers.keys()) {
    writeLayer(engine, l, roundLayer(network, l, ranges[l]!, engine.exports.most(l)));
  }
  return new QuantisedAgent(options, engine);
}
