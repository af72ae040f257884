/** Stores transitions. */
import { Scalar, State, Status } from "../abi";
import { counter, headOf, note, remember as rememberStep, scalar, setCounter } from "../core";
import { canReward, enter, leave, reward as rewardAll, waitingAt, waitingOf } from "../nstep";
import { writeNext, writeStep } from "../replay";
import { inputsAreValid } from "../storage";
import { setPriority } from "../sumtree";
import { Agent } from "./agent";

/**
 * Queues the staged transition, with its reward and discount as Scalar, until its n-step return is complete; complete ones go to the replay.
 * isLast: the episode ends here, whichever way, so that all that waits goes there. count: how many staged candidates
 * the action was chosen from; kept with Flag.Sets. shown: how many of them a slate showed. Refuses inputs, rewards and returns out of their bounds before
 * anything changes.
 */
export function observe(
  agent: Agent,
  action: i32,
  count: i32,
  nextCount: i32,
  isLast: bool,
  environment: i32,
  shown: i32,
): Status {
  if (!inputsAreValid(agent.observation, 1, agent.inputs)) return Status.BadObservation;
  if (!inputsAreValid(agent.observation, 1, agent.nextInputs)) return Status.BadNextObservation;
  if (!inputsAreValid(agent.replay.chosen, 1, agent.candidate)) return Status.BadCandidate;
  if (!inputsAreValid(agent.features, count, agent.candidates)) return Status.BadSet;
  if (!inputsAreValid(agent.features, nextCount, agent.nextCandidates)) return Status.BadNextCandidates;
  const tail = agent.tail;
  const rewards = agent.scalars + (Scalar.Reward << 3);
  const discount = f32(scalar(agent, Scalar.Discount));
  if (!canReward(tail, environment, rewards)) return Status.BadReturn;
  const step = enter(tail, environment);
  writeStep(agent.replay, step, agent.inputs, agent.candidate, agent.candidates, count, agent.mask, action, shown);
  rewardAll(tail, environment, rewards, discount);
  const waiting = waitingOf(tail, environment);
  const ready = isLast ? waiting : i32(waiting == tail.n);
  for (let i = 0; i < ready; i++) remember(agent, waitingAt(tail, environment, i), nextCount);
  leave(tail, environment, ready);
  note(agent, environment, isLast);
  setCounter(agent, State.Steps, counter(agent, State.Steps) + 1);
  return Status.Ok;
}

/** Copies a step that waited to the replay and completes it with the staged next state. */
function remember(agent: Agent, step: usize, nextCount: i32): void {
  if (agent.isPrioritized) setPriority(agent.tree, headOf(agent), f32(counter(agent, State.MaxPriority)));
  const slate = i32(scalar(agent, Scalar.NextSlate));
  const row = rememberStep(agent, step);
  writeNext(agent.replay, row, agent.nextInputs, agent.nextCandidates, nextCount, agent.nextMask, slate);
}
