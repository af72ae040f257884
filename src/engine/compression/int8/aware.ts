import { checked } from "../../../check/index.js";
import { type DQN, Int8Engine, type Int8EngineOptions, type LayerWeights } from "../../index.js";
import { agreementOf } from "../agreement.js";
import { DISTILL_DEFAULTS, type DistillOptions, distillRules, taught } from "../distill.js";
import { PlainNetwork } from "../plainnetwork.js";
import { likeOf } from "../prune.js";
import { rangesOf } from "../ranges.js";
import type { AgentState } from "../state.js";
import { quantise } from "./quantise.js";
import type { QuantisedAgent } from "./quantised.js";
import { plainOf, roundLayer } from "./rounding.js";

/**
 * `quantise` with learning that knows of the rounding: a copy of the agent learns the agent's values by steps whose forward
 * and backward use rounded weights, while exact ones are kept and moved (the straight-through estimate, Bengio et al. 2013;
 * Jacob et al. 2018). Where that agrees no better than rounding alone, it is rounding alone.
 *
 * @param agent - It stays as it is.
 * @param states - At least two: calibration, and what is learned on.
 * @param options - Of the learning. Default: as `distill`, but by values, 2000 updates at most, at a learning rate of 1e-4.
 * @throws TypeError or RangeError as `quantise` and `distill`.
 */
export async function quantiseAware(
  agent: DQN,
  states: readonly AgentState[],
  options: DistillOptions = {},
  run?: Int8EngineOptions,
): Promise<QuantisedAgent> {
  const defaults = { ...DISTILL_DEFAULTS, loss: "values" as const, updates: 2000, learningRate: 1e-4 };
  const learning = checked<DistillOptions>(options, distillRules, defaults);
  const plain = quantise(agent, states, run);
  const network = new PlainNetwork(agent.options, agent.weights());
  const { ranges, visit } = rangesOf(network);
  network.visit(agent, "states", states, visit);
  const { exports } = new Int8Engine(agent.options, run);
  const project = (layers: readonly LayerWeights[]) => {
    const own = new PlainNetwork(agent.options, layers);
    return layers.map((_, l) => plainOf(roundLayer(own, l, ranges[l]!, exports.most(l))));
  };
  const copy = likeOf(agent, { capacity: agent.options.learningStarts });
  copy.setWeights(agent.weights());
  await taught(agent, copy, states, { ...learning, project });
  const aware = quantise(copy, states, run);
  copy.dispose();
  const error = (one: QuantisedAgent) => agreementOf(agent, one, states, agent.options.masked).error;
  return error(aware) < error(plain) ? aware : plain;
}
