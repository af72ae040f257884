/** Checks of a persistent span that was written from outside, trusting nothing. */
import { MOMENT_MAX, SQUARE_MAX, Status } from "./abi";
import { Core, counter, filled } from "./core";
import { tailIsValid } from "./nstep";
import { rowIsValid } from "./replay";
import { momentsAreCounted } from "./running";
import { allWithin } from "./vector";

function isCount(x: f64): bool {
  return x >= 0 && x <= 9007199254740991 && x == Math.floor(x);
}

/** Whether counters first..last are integers that JavaScript can hold. */
export function areCounts(agent: Core, first: i32, last: i32): bool {
  for (let i = first; i <= last; i++) if (!isCount(counter(agent, i))) return false;
  return true;
}

/** Whether counters first..last are powers of numbers in [0, 1]. */
export function arePowers(agent: Core, first: i32, last: i32): bool {
  for (let i = first; i <= last; i++) if (!(counter(agent, i) >= 0 && counter(agent, i) <= 1)) return false;
  return true;
}

/** Whether the ring of the replay and the generators are as they can be. */
export function ringIsValid(agent: Core): bool {
  const size = load<f64>(agent.ring);
  const head = load<f64>(agent.ring, 8);
  const capacity = f64(agent.replay.capacity);
  if (!(isCount(size) && size <= capacity && isCount(head) && head < capacity)) return false;
  if (!(size == capacity || head == size)) return false;
  return (agent.sampleRng.increment & agent.exploreRng.increment & agent.noiseRng.increment & 1) != 0;
}

/** Moments of the optimiser, where a negative second one would have no root, and running ones. */
export function momentsAreValid(agent: Core): bool {
  const n = i32(agent.trained >> 2);
  if (!momentsAreCounted(agent.running)) return false;
  if (!allWithin(n, -f32(MOMENT_MAX), f32(MOMENT_MAX), agent.moments)) return false;
  return allWithin(n, 0, f32(SQUARE_MAX), agent.moments + agent.trained);
}

/** Whether the replay and the steps that wait lie in their bounds, with actions below `actions`. */
export function statusOfSteps(agent: Core, actions: i32): Status {
  for (let i = 0, size = filled(agent); i < size; i++) {
    if (!rowIsValid(agent.replay, i, actions)) return Status.NotFinite;
  }
  return tailIsValid(agent.tail, actions) ? Status.Ok : Status.BadCounter;
}
