/** Stores transitions. */
import { Scalar, Status } from "../abi";
import { abandon as abandonSteps, counter, note, remember, scalar, setCounter } from "../core";
import { canReward, enter, leave, reward as rewardAll, waitingAt, waitingOf } from "../nstep";
import { writeNext, writeStep } from "../replay";
import { inputsAreValid } from "../storage";
import { State } from "./abi";
import { Agent, renewNoise } from "./agent";

/**
 * Queues the staged transition, with its reward and discount as Scalar, until its n-step return is complete; complete ones
 * go to the replay. isLast: the episode ends here, whichever way. Refuses inputs, rewards and returns out of their bounds
 * before anything changes.
 */
export function observe(agent: Agent, isLast: bool, environment: i32): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  if (!inputsAreValid(agent.observation, 1, agent.nextInputs)) return Status.BadNextObservation;
  if (!inputsAreValid(agent.action, 1, agent.actions)) return Status.BadCandidate;
  const tail = agent.tail;
  const rewards = agent.scalars + (Scalar.Reward << 3);
  if (!canReward(tail, environment, rewards)) return Status.BadReturn;
  writeStep(agent.replay, enter(tail, environment), agent.inputs, agent.actions, 0, 0, 0, 0, 0);
  rewardAll(tail, environment, rewards, f32(scalar(agent, Scalar.Discount)));
  const waiting = waitingOf(tail, environment);
  const ready = isLast ? waiting : i32(waiting == tail.n);
  for (let i = 0; i < ready; i++) {
    writeNext(agent.replay, remember(agent, waitingAt(tail, environment, i)), agent.nextInputs, 0, 0, 0, 0);
  }
  leave(tail, environment, ready);
  note(agent, environment, isLast);
  if (isLast) renewNoise(agent, environment);
  setCounter(agent, State.Steps, counter(agent, State.Steps) + 1);
  return Status.Ok;
}

/** Drops the waiting steps of an environment whose episode will not continue, and its noise. */
export function abandon(agent: Agent, environment: i32): void {
  abandonSteps(agent, environment);
  renewNoise(agent, environment);
}
