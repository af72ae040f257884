import type { StoredRow } from "../../src/cli/writing/results.js";
import type { Goal } from "../harness/goals.js";
import type { Report } from "../harness/suite.js";
import { GROUPS } from "./cases.js";
import { outcomesOf } from "./suite.js";

/** The least that the engine must learn. */
export const GOALS: readonly Goal[] = [
  { case: /^CartPole-v1$/, metric: "return_min", atLeast: 500 },
  { case: /^Acrobot-v1$/, metric: "return_iqm", atLeast: -75 },
  { case: /^MountainCar-v0$/, metric: "return_iqm", atLeast: -105 },
  { case: /^MountainCar-v0$/, metric: "return_min", above: -200 },
  { case: /^Pendulum-v1$/, metric: "return_seeds_mean", atLeast: -150 },
  { case: /^MountainCarContinuous-v0$/, metric: "return_seeds_mean", atLeast: 93 },
  { case: /^chain-20$/, metric: "thompson_beats_epsilon_seeds", atLeast: 20 },
  { case: /^offline\//, metric: "cql_over_behaviour", of: "lo", above: 0 },
  { case: /^offers$/, metric: "optimal_percent_min", atLeast: 98 },
  { case: /^probes\//, metric: "value_error_max_actions", atMost: 0.05 },
  { case: /^probes\//, metric: "value_error_max_candidates", atMost: 0.05 },
];

/** The tables of all groups, and their figures over all seeds. */
export function report(rows: readonly StoredRow[]): Report {
  const outcomes = outcomesOf(rows);
  const reports = GROUPS.map((group) => group.report(outcomes)).filter((each) => each.rows.length > 0);
  return { text: reports.map(({ text }) => text).join("\n\n"), rows: reports.flatMap((each) => each.rows) };
}
