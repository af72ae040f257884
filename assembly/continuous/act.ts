/** Acting: from a staged observation to an action, and to its values. */
import { Scalar, Status } from "../abi";
import { inputsOf, scalar } from "../core";
import { forward, valuesOfRow } from "../network/forward";
import { headRows } from "../dense";
import { bytesOf } from "../sparse";
import { inputsAreValid } from "../storage";
import { copy } from "../vector";
import { Explore } from "./abi";
import { Agent, criticAt, noiseAt } from "./agent";
import { correlate, drawUniform, addNoise, squash } from "./squash";

/** a(B, actions) = tanh(actor(x)) for rows x. */
export function actionsOf(agent: Agent, block: usize, batch: i32, x: usize, ldx: usize, a: usize): void {
  const actor = agent.actor;
  const h = forward(actor, block, batch, x, ldx);
  headRows(actor.head, block, batch, actor.outputs, h, a);
  squash(batch * actor.outputs, a, a);
}

/** The action for the staged observation; the state changes by the draws of exploration alone. */
export function act(agent: Agent, environment: i32, explore: Explore): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  const n = agent.action.dense;
  if (explore == Explore.Uniform) {
    drawUniform(agent.exploreRng, n, agent.actions);
    return Status.Ok;
  }
  actionsOf(agent, agent.online, 1, inputsOf(agent), 0, agent.actions);
  if (explore == Explore.Noise) {
    const z = noiseAt(agent, environment);
    addNoise(n, f32(scalar(agent, Scalar.Exploration)), z, agent.actions);
    correlate(agent.exploreRng, n, scalar(agent, Scalar.Correlation), agent.z, z);
  }
  return Status.Ok;
}

/** What each critic says of the staged observation and action. */
export function evaluate(agent: Agent): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  if (!inputsAreValid(agent.action, 1, agent.actions)) return Status.BadCandidate;
  const bytes = bytesOf(agent.observation);
  copy(agent.row, inputsOf(agent), bytes);
  copy(agent.row + bytes, agent.actions, bytesOf(agent.action));
  for (let i = 0; i < agent.critics; i++) {
    valuesOfRow(agent.critic, criticAt(agent, agent.online, i), agent.row, agent.values + (usize(i) << 2));
  }
  return Status.Ok;
}
