/** Checks a persistent span that was written from outside, trusting nothing. */
import { Check, MOMENT_MAX, SQUARE_MAX, Status, WEIGHT_MAX } from "../abi";
import { tailIsValid } from "../nstep";
import { rowIsValid } from "../replay";
import { allWithin } from "../vector";
import { NOISE_MAX, State } from "./abi";
import { Agent, counter } from "./agent";

export function validate(agent: Agent, check: Check): Status {
  const size = counter(agent, State.Size);
  const head = counter(agent, State.Head);
  const capacity = f64(agent.replay.capacity);
  for (let i = State.Steps; i <= State.Head; i++) if (!isCount(counter(agent, i))) return Status.BadCounter;
  if (!(size <= capacity && head < capacity && (size == capacity || head == size))) return Status.BadCounter;
  if (counter(agent, State.SkippedStep) > counter(agent, State.Steps)) return Status.BadCounter;
  if (counter(agent, State.ActorUpdates) > counter(agent, State.Updates)) return Status.BadCounter;
  for (let i = State.Beta1Power; i <= State.ActorBeta2Power; i++) {
    if (!(counter(agent, i) >= 0 && counter(agent, i) <= 1)) return Status.BadCounter;
  }
  if (!(agent.sampleRng.increment & agent.exploreRng.increment & agent.targetRng.increment & 1)) return Status.BadCounter;
  if (check == Check.Counters) return Status.Ok;
  const noise = agent.environments * agent.action.dense;
  if (!allWithin(noise, -f32(NOISE_MAX), f32(NOISE_MAX), agent.noise)) return Status.NotFinite;
  if (!weightsAreValid(agent, agent.online) || !weightsAreValid(agent, agent.target)) return Status.NotFinite;
  const n = i32(agent.bytes >> 2);
  // A negative second moment would have no root.
  if (!allWithin(n, -f32(MOMENT_MAX), f32(MOMENT_MAX), agent.moments)) return Status.NotFinite;
  if (!allWithin(n, 0, f32(SQUARE_MAX), agent.moments + agent.bytes)) return Status.NotFinite;
  if (check == Check.Weights) return Status.Ok;
  for (let i = 0; i < i32(size); i++) if (!rowIsValid(agent.replay, i, 1)) return Status.NotFinite;
  return tailIsValid(agent.tail, 1) ? Status.Ok : Status.BadCounter;
}

/** Whether a block of parameters lies in its bounds. */
export function weightsAreValid(agent: Agent, block: usize): bool {
  return allWithin(i32(agent.bytes >> 2), -f32(WEIGHT_MAX), f32(WEIGHT_MAX), block);
}

function isCount(x: f64): bool {
  return x >= 0 && x <= 9007199254740991 && x == Math.floor(x);
}
