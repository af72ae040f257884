import { type ChangingCandidatesModel, type TabularModel, valueIteration } from "../../src/index.js";
import { mean } from "./moments.js";

/** A choice for each mood and set: the index within the set. */
export type Choices = (mood: number, set: number) => number;

/** The process as numbered states: mood * sets + set. An action is an index within the set; `choose` leaves one alone. */
function tabular(
  { moods, sets, items, rewards, transitions }: ChangingCandidatesModel,
  choose?: Choices,
): TabularModel {
  const [m, n] = [moods.length, sets.length];
  return {
    states: m * n,
    actions: items.length,
    outcomes(state, action) {
      const [mood, set] = [Math.floor(state / n), state % n];
      const item = sets[set]![action];
      if (item === undefined || (choose && choose(mood, set) !== action)) return [];
      const reward = rewards[mood]![item]!;
      return transitions[mood]![item]!.flatMap((p, next) =>
        sets.map((_, drawn) => ({ probability: p / n, reward, state: next * n + drawn })),
      );
    },
  };
}

/** Expected discounted return of a policy, exactly. */
export function worthOf(model: ChangingCandidatesModel, choose: Choices): number {
  return mean(Array.from(valueIteration(tabular(model, choose), { gamma: model.gamma }).values));
}

/** The best policy, by value iteration, and its expected discounted return. */
export function optimum(model: ChangingCandidatesModel): { worth: number; choose: Choices } {
  const { values, policy } = valueIteration(tabular(model), { gamma: model.gamma });
  return {
    worth: mean(Array.from(values)),
    choose: (mood, set) => policy[mood * model.sets.length + set]!,
  };
}

/** The policy that looks at the next reward only. */
export function greedyByReward(model: ChangingCandidatesModel): Choices {
  return (mood, set) => {
    const rewards = model.sets[set]!.map((item) => model.rewards[mood]![item]!);
    return rewards.indexOf(Math.max(...rewards));
  };
}
