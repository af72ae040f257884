import type { ChangingCandidatesModel } from "../../src/index.js";
import { mean } from "./moments.js";

/** A choice for each mood and set: the index within the set. */
export type Choices = (mood: number, set: number) => number;

/** Expected discounted return from (mood, set) when `item` is chosen and `start` (moods) is worth what follows. */
function backedUp(model: ChangingCandidatesModel, mood: number, item: number, start: readonly number[]): number {
  const follow = model.transitions[mood]![item]!.reduce((sum, p, next) => sum + p * start[next]!, 0);
  return model.rewards[mood]![item]! + model.gamma * follow;
}

/** (moods): what each mood is worth before its set is drawn, by sweeps until nothing changes by 1e-12. */
function iterate(
  model: ChangingCandidatesModel,
  value: (mood: number, set: number, start: readonly number[]) => number,
): number[] {
  let start = model.moods.map(() => 0);
  for (;;) {
    const next = model.moods.map(
      (_, mood) => model.sets.reduce((sum, __, set) => sum + value(mood, set, start), 0) / model.sets.length,
    );
    const change = Math.max(...next.map((x, mood) => Math.abs(x - start[mood]!)));
    start = next;
    if (change < 1e-12) return start;
  }
}

/** Expected discounted return of a policy, exactly. */
export function worthOf(model: ChangingCandidatesModel, choose: Choices): number {
  const value = (mood: number, set: number, start: readonly number[]) =>
    backedUp(model, mood, model.sets[set]![choose(mood, set)]!, start);
  return mean(iterate(model, value));
}

/** The best policy, by value iteration, and its expected discounted return. */
export function optimum(model: ChangingCandidatesModel): { worth: number; choose: Choices } {
  const values = (mood: number, set: number, start: readonly number[]) =>
    model.sets[set]!.map((item) => backedUp(model, mood, item, start));
  const start = iterate(model, (mood, set, follow) => Math.max(...values(mood, set, follow)));
  const choose = (mood: number, set: number) => {
    const all = values(mood, set, start);
    return all.indexOf(Math.max(...all));
  };
  return { worth: mean(start), choose };
}

/** The policy that looks at the next reward only. */
export function greedyByReward(model: ChangingCandidatesModel): Choices {
  return (mood, set) => {
    const rewards = model.sets[set]!.map((item) => model.rewards[mood]![item]!);
    return rewards.indexOf(Math.max(...rewards));
  };
}
