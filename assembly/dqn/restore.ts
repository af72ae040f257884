/** Checks a persistent span that was written from outside, trusting nothing. */
import { Normalization, State, Status } from "../abi";
import { tailIsValid } from "../nstep";
import { rowIsValid } from "../replay";
import { priorityOf, rebuild } from "../sumtree";
import { allFinite } from "../vector";
import { variancesAreValid } from "../network";
import { Agent, counter, forget } from "./agent";
import { PRIORITY_MAX } from "./learn";

export function validate(agent: Agent): Status {
  forget(agent);
  const size = counter(agent, State.Size);
  const head = counter(agent, State.Head);
  const capacity = f64(agent.replay.capacity);
  if (!(isCount(size) && size <= capacity && isCount(head) && head < capacity)) return Status.BadCounter;
  if (!(size == capacity || head == size)) return Status.BadCounter;
  for (let i = State.Steps; i <= State.Skipped; i++) if (!isCount(counter(agent, i))) return Status.BadCounter;
  for (let i = State.Beta1Power; i <= State.Beta2Power; i++) {
    if (!(counter(agent, i) >= 0 && counter(agent, i) <= 1)) return Status.BadCounter;
  }
  if (!(agent.sampleRng.increment & agent.exploreRng.increment & agent.noiseRng.increment & 1)) return Status.BadCounter;
  const net = agent.net;
  if (!allFinite(i32(net.bytes >> 2), agent.online) || !allFinite(i32(net.bytes >> 2), agent.target)) {
    return Status.NotFinite;
  }
  if (!allFinite(i32(net.trained >> 1), agent.moments)) return Status.NotFinite;
  if (!areSquares(i32(net.trained >> 2), agent.moments + usize(net.trained))) return Status.NotFinite;
  if (net.normalization == Normalization.Batch) {
    if (!variancesAreValid(net, agent.online) || !variancesAreValid(net, agent.target)) return Status.NotFinite;
  }
  const actions = max(1, agent.actions);
  for (let i = 0; i < i32(size); i++) {
    if (!rowIsValid(agent.replay, i, actions)) return Status.NotFinite;
  }
  if (!tailIsValid(agent.tail, actions)) return Status.BadCounter;
  return agent.isPrioritized ? validatePriorities(agent, i32(size)) : Status.Ok;
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

/** Whether n numbers can be means of squares. */
function areSquares(n: i32, x: usize): bool {
  for (let i: usize = 0; i < usize(n) << 2; i += 4) if (!(load<f32>(x + i) >= 0)) return false;
  return true;
}

function isCount(x: f64): bool {
  return x >= 0 && x <= 9007199254740991 && x == Math.floor(x);
}
