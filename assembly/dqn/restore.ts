/** Checks a persistent span that was written from outside, trusting nothing. */
import { Check, MOMENT_MAX, Normalization, SQUARE_MAX, State, STATISTIC_MAX, Status, WEIGHT_MAX } from "../abi";
import { tailIsValid } from "../nstep";
import { rowIsValid } from "../replay";
import { priorityOf, rebuild } from "../sumtree";
import { allWithin } from "../vector";
import { variancesAreValid } from "../network/weights";
import { Agent, counter, forget } from "./agent";
import { PRIORITY_MAX } from "./learn";

export function validate(agent: Agent, check: Check): Status {
  const size = counter(agent, State.Size);
  const head = counter(agent, State.Head);
  const capacity = f64(agent.replay.capacity);
  if (!(isCount(size) && size <= capacity && isCount(head) && head < capacity)) return Status.BadCounter;
  if (!(size == capacity || head == size)) return Status.BadCounter;
  for (let i = State.Steps; i <= State.Skipped; i++) if (!isCount(counter(agent, i))) return Status.BadCounter;
  if (!isCount(counter(agent, State.SkippedStep))) return Status.BadCounter;
  for (let i = State.Beta1Power; i <= State.Beta2Power; i++) {
    if (!(counter(agent, i) >= 0 && counter(agent, i) <= 1)) return Status.BadCounter;
  }
  if (!(agent.sampleRng.increment & agent.exploreRng.increment & agent.noiseRng.increment & 1)) return Status.BadCounter;
  if (counter(agent, State.SkippedStep) > counter(agent, State.Steps)) return Status.BadCounter;
  if (check == Check.Counters) return Status.Ok;
  if (!weightsAreValid(agent, agent.online) || !weightsAreValid(agent, agent.target)) return Status.NotFinite;
  if (!momentsAreValid(agent)) return Status.NotFinite;
  if (check == Check.Weights) return Status.Ok;
  forget(agent);
  const actions = max(1, agent.actions);
  for (let i = 0; i < i32(size); i++) {
    if (!rowIsValid(agent.replay, i, actions)) return Status.NotFinite;
  }
  if (!tailIsValid(agent.tail, actions)) return Status.BadCounter;
  return agent.isPrioritized ? validatePriorities(agent, i32(size)) : Status.Ok;
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

/** A negative second moment would have no root. */
function momentsAreValid(agent: Agent): bool {
  const n = i32(agent.net.trained >> 2);
  if (!allWithin(n, -f32(MOMENT_MAX), f32(MOMENT_MAX), agent.moments)) return false;
  return allWithin(n, 0, f32(SQUARE_MAX), agent.moments + usize(agent.net.trained));
}

/** Priorities in [0, PRIORITY_MAX], 0 where no row is; their sums are not believed but made again. */
function validatePriorities(agent: Agent, size: i32): Status {
  const largest = counter(agent, State.MaxPriority);
  if (!(largest > 0 && largest <= PRIORITY_MAX)) return Status.BadCounter;
  for (let i = 0; i < agent.replay.capacity; i++) {
    const priority = priorityOf(agent.tree, i);
    if (!(priority >= 0 && priority <= (i < size ? PRIORITY_MAX : 0))) return Status.NotFinite;
  }
  rebuild(agent.tree, agent.replay.capacity);
  return Status.Ok;
}

function isCount(x: f64): bool {
  return x >= 0 && x <= 9007199254740991 && x == Math.floor(x);
}
