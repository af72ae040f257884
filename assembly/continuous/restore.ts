/** Checks a persistent span that was written from outside, trusting nothing. */
import { Check, Status, WEIGHT_MAX } from "../abi";
import { counter } from "../core";
import { areCounts, arePowers, momentsAreValid, ringIsValid, statusOfSteps } from "../restore";
import { allWithin } from "../vector";
import { NOISE_MAX, State } from "./abi";
import { Agent } from "./agent";

export function validate(agent: Agent, check: Check): Status {
  if (!ringIsValid(agent) || !areCounts(agent, State.Steps, State.Head)) return Status.BadCounter;
  if (!arePowers(agent, State.Beta1Power, State.ActorBeta2Power)) return Status.BadCounter;
  if (counter(agent, State.SkippedStep) > counter(agent, State.Steps)) return Status.BadCounter;
  if (counter(agent, State.ActorUpdates) > counter(agent, State.Updates)) return Status.BadCounter;
  if (check == Check.Counters) return Status.Ok;
  const noise = agent.environments * agent.action.dense;
  if (!allWithin(noise, -f32(NOISE_MAX), f32(NOISE_MAX), agent.noise)) return Status.NotFinite;
  if (!weightsAreValid(agent, agent.online) || !weightsAreValid(agent, agent.target)) return Status.NotFinite;
  if (!momentsAreValid(agent)) return Status.NotFinite;
  return check == Check.Weights ? Status.Ok : statusOfSteps(agent, 1);
}

/** Whether a block of parameters lies in its bounds. */
export function weightsAreValid(agent: Agent, block: usize): bool {
  return allWithin(i32(agent.bytes >> 2), -f32(WEIGHT_MAX), f32(WEIGHT_MAX), block);
}
