/** What the suite `farsight` must show. */
import type { Goal } from "../../harness/goals.js";

/** What is left out of the objective must lose what the whole objective earns: the same bound, from the other side. */
const BOUNDS = { bait: 21, mood: 21, late: 67.5, blame: 37.35, error: 5, recsim: 215 } as const;
const [REQUEST, DAY] = ["minutes_per_request", "minutes_per_user_day"] as const;

export const FARSIGHT_GOALS: readonly Goal[] = [
  { case: /^bait\/dqn$/, metric: REQUEST, atLeast: BOUNDS.bait },
  { case: /^bait\/.+/, metric: REQUEST, atMost: BOUNDS.bait },
  { case: /^mood\/dqn$/, metric: REQUEST, atLeast: BOUNDS.mood },
  { case: /^mood\/.+/, metric: REQUEST, atMost: BOUNDS.mood },
  // Nine tenths of the best policy's minutes.
  { case: /^late\/dqn$/, metric: DAY, atLeast: BOUNDS.late },
  { case: /^late\/.+/, metric: DAY, atMost: BOUNDS.late },
  { case: /^blame\/dqn$/, metric: DAY, atLeast: BOUNDS.blame },
  { case: /^blame\/.+/, metric: DAY, atMost: BOUNDS.blame },
  { case: /^no-entry\/dqn$/, metric: "value_error_percent", atMost: BOUNDS.error },
  { case: /^no-entry\/.+/, metric: "value_error_percent", above: BOUNDS.error },
  // All seeds.
  { case: /^(bait|churn|late|blame)\/dqn$/, metric: "solved_share", atLeast: 1 },
  { case: /^recsim\/10-3\/dqn$/, metric: "session_minutes", atLeast: BOUNDS.recsim },
  { case: /^recsim\/10-3\/.+/, metric: "session_minutes", atMost: BOUNDS.recsim },
  { case: /^live(?!-no-effect)\b.*dqn-over-gamma-0$/, metric: "watch_gain_percent", atLeast: 5 },
  { case: /^live(?!-no-effect)\b.*dqn-over-gamma-0$/, metric: "sessions_gain_percent", atLeast: 8 },
  { case: /^live-no-effect\/dqn-over-gamma-0$/, metric: "watch_gain_percent", atLeast: -1 },
  { case: /^longterm\/dqn$/, metric: "percent_of_best_mixture", atLeast: 95 },
  { case: /^live\/(dqn|gamma-0)$/, metric: "watch_min_per_user_day", atLeast: 26 },
];
