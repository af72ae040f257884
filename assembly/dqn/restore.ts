/** Checks a persistent span that was written from outside, trusting nothing. */
import { Check, Normalization, State, STATISTIC_MAX, Status, WEIGHT_MAX } from "../abi";
import { counter, filled } from "../core";
import { areCounts, arePowers, momentsAreValid, ringIsValid, statusOfSteps } from "../restore";
import { priorityOf, rebuild } from "../sumtree";
import { allWithin } from "../vector";
import { variancesAreValid } from "../network/weights";
import { Agent, forget } from "./agent";
import { PRIORITY_MAX } from "./learn";

export function validate(agent: Agent, check: Check): Status {
  if (!ringIsValid(agent) || !areCounts(agent, State.Steps, State.Head)) return Status.BadCounter;
  if (!areCounts(agent, State.SkippedStep, State.SkippedStep)) return Status.BadCounter;
  if (!arePowers(agent, State.Beta1Power, State.Beta2Power)) return Status.BadCounter;
  if (counter(agent, State.SkippedStep) > counter(agent, State.Steps)) return Status.BadCounter;
  if (check == Check.Counters) return Status.Ok;
  if (!weightsAreValid(agent, agent.online) || !weightsAreValid(agent, agent.target)) return Status.NotFinite;
  if (!momentsAreValid(agent)) return Status.NotFinite;
  if (check == Check.Weights) return Status.Ok;
  forget(agent);
  const status = statusOfSteps(agent, max(1, agent.actions));
  return status == Status.Ok && agent.isPrioritized ? validatePriorities(agent) : status;
}

/** Whether a block of parameters lies in its bounds; running statistics stand after the trained ones. */
export function weightsAreValid(agent: Agent, params: usize): bool {
  const net = agent.net;
  const trained = i32(net.trained >> 2);
  if (!allWithin(trained, -f32(WEIGHT_MAX), f32(WEIGHT_MAX), params)) return false;
  const statistics = params + usize(net.trained);
  if (!allWithin(i32(net.bytes >> 2) - trained, -f32(STATISTIC_MAX), f32(STATISTIC_MAX), statistics)) return false;
  return net.normalization != Normalization.Batch || variancesAreValid(net, params);
}

/** Priorities in [0, PRIORITY_MAX], 0 where no row is; their sums are not believed but made again. */
function validatePriorities(agent: Agent): Status {
  const size = filled(agent);
  const largest = counter(agent, State.MaxPriority);
  if (!(largest > 0 && largest <= PRIORITY_MAX)) return Status.BadCounter;
  for (let i = 0; i < agent.replay.capacity; i++) {
    const priority = priorityOf(agent.tree, i);
    if (!(priority >= 0 && priority <= (i < size ? PRIORITY_MAX : 0))) return Status.NotFinite;
  }
  rebuild(agent.tree, agent.replay.capacity);
  return Status.Ok;
}
