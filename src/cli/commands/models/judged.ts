import { groupsWithData, type Validation } from "../../../evaluation/index.js";
import type { Recommender } from "../../../recommender/index.js";
import { adviceOf, dataOf, verdict } from "../../verdicts/index.js";
import { grid, rowsOf } from "../../writing/figures.js";
import { print } from "../../writing/output.js";
import { printVerdicts, type Row } from "../../writing/results.js";

/** What of the options of a training tells. */
export interface Told {
  gamma: number;
  seed: number;
  model: string;
  json?: string;
}

/** Length of the lists that are judged. */
export const K = 10;
const METRICS = [`hr_at_${K}`, `ndcg_at_${K}`, "mrr"] as const;
const MODEL = "the model";

/**
 * Prints how a recommender did on the end of its log beside most popular, and what that means; returns the rows. Call it
 * when the recommender is saved.
 *
 * @param part - What was judged, for the rows: `held-out`.
 * @param how - In words.
 */
export function tellJudged(
  validation: Validation | undefined,
  recommender: Recommender,
  { part, how }: { part: string; how: string },
  { gamma, seed, json, model }: Told,
): Row[] {
  const { updates, users } = recommender.stats();
  const learned = { updates, users, warmupUpdates: recommender.options.warmupUpdates };
  if (validation === undefined) {
    const nothing =
      "Whether it beats most popular cannot be told: nobody entered anything in the last part of the log's time.";
    printVerdicts([nothing, adviceOf(MODEL, learned)], json, model);
    return [];
  }
  const { figures, popular, above, cases, asked } = validation;
  const columns = { recommender: figures, "most popular": popular, difference: above };
  const find = (metric: string, column: string) =>
    columns[column as keyof typeof columns].find((one) => one.metric === metric && one.slice === "all");
  const about = `${cases} ${how}; mean [95 % interval by user]`;
  print(`${grid(METRICS, Object.keys(columns), find)}\n${about}\n`, json, model);
  const main = METRICS[1];
  const [gain, base] = [find(main, "difference")!, find(main, "most popular")?.value ?? 0];
  const told = verdict({ ...gain, name: MODEL, reference: "popular", metric: `NDCG@${K}`, base, unit: "users" });
  const shares = groupsWithData(recommender, asked);
  const more = [...(gain.lo > 0 ? [] : [adviceOf(MODEL, learned)]), ...(shares.size > 0 ? [dataOf(shares)] : [])];
  printVerdicts([told, ...more], json, model);
  return Object.entries(columns).flatMap(([name, own]) => {
    const shown = own.filter(({ metric, slice }) => slice === "all" && METRICS.some((one) => one === metric));
    return rowsOf(shown, "recommender", `train/gamma-${gamma}/${part}/${name.replace(" ", "-")}`, [seed]);
  });
}
