import { learnFromLog, type Validation } from "../../../evaluation/index.js";
import { UsageError } from "../../reading/arguments.js";
import { Inputs, openEvents, readDecisions } from "../../reading/input.js";
import { grid, rowsOf } from "../../writing/figures.js";
import { print, STANDARD, takeModel, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { Progress } from "../../writing/progress.js";
import { printVerdicts } from "../../writing/results.js";
import { verdict } from "../../writing/verdict.js";
import {
  completionOf,
  givenSettings,
  type LearnOptions,
  report,
  requireUsable,
  settingsFor,
  stateOf,
  tellCompleted,
  tellRefused,
} from "./learn.js";

export interface HeldOutOptions extends LearnOptions {
  /** Share of the log's time, at its end, that is held out. */
  holdOut: number;
  /** Passes over the log, at most. */
  passes: number;
}

/** Length of the lists that are judged. */
const K = 10;
const METRICS = [`hr_at_${K}`, `ndcg_at_${K}`, "mrr"] as const;

/** @throws UsageError for options that do not go with a held-out part. */
function requireWhole(options: HeldOutOptions): void {
  requireUsable(options);
  const { events, decisions = [], resume, follow, saveEvery } = options;
  if (resume || follow || saveEvery !== undefined) {
    throw new UsageError(
      '"--hold-out" reads a whole log, and does not go with "--resume", "--follow" and "--save-every"',
    );
  }
  if ([...events, ...decisions].includes(STANDARD)) {
    throw new UsageError('"--hold-out" reads the log several times: it needs files, got -');
  }
}

/** Prints the figures of the held-out part beside most popular; returns them as rows. */
function told(validation: Validation | undefined, { gamma, seed, json, model }: HeldOutOptions) {
  if (validation === undefined) {
    process.stderr.write("nothing was entered in the held-out part: it tells nothing of what was learned\n");
    return [];
  }
  const { figures, popular, above, cases } = validation;
  const columns = { recommender: figures, "most popular": popular, difference: above };
  const find = (metric: string, column: string) =>
    columns[column as keyof typeof columns].find((one) => one.metric === metric && one.slice === "all");
  print(
    `${grid(METRICS, Object.keys(columns), find)}\n${cases} held-out visits; mean [95 % interval by user]\n`,
    json,
    model,
  );
  const [main, gain] = [`ndcg_at_${K}`, "difference"];
  const base = find(main, "most popular")?.value ?? 0;
  const paired = { name: "the model", reference: "popular", metric: `NDCG@${K}`, base, unit: "users" };
  printVerdicts([verdict({ ...find(main, gain)!, ...paired })], json, model);
  return Object.entries(columns).flatMap(([name, own]) => {
    const shown = own.filter(({ metric, slice }) => slice === "all" && METRICS.some((one) => one === metric));
    return rowsOf(shown, "recommender", `train/gamma-${gamma}/held-out/${name.replace(" ", "-")}`, [seed]);
  });
}

/**
 * Trains a recommender from a log, of which it holds out the end: passes stop when its figure rises no more, and the model
 * has the weights of the best. Ctrl-C ends it without a model.
 *
 * @throws Error with cause and remedy where the log taught nothing; the signal's reason.
 */
export async function learnHeldOut(options: HeldOutOptions, signal: AbortSignal): Promise<void> {
  requireWhole(options);
  const { model, draw, holdOut, passes } = options;
  tryOutputs(options.json);
  const lock = takeModel(model);
  const progress = new Progress("events");
  async function* events() {
    yield* await openEvents(new Inputs(options.events, signal));
  }
  const given = givenSettings(options);
  // Word vectors decide the groups, whatever the log has.
  const none = { onAir: "events", slates: "none", gapMs: undefined, kinds: { watch: 1 } } as const;
  const { features } = options.words === undefined ? given : settingsFor(options, none);
  try {
    const learned = await learnFromLog({ ...given, ...(features && { features }) }, events, {
      ...(options.decisions && { decisions: () => readDecisions(new Inputs(options.decisions!, signal)) }),
      ...{ validation: holdOut, epochs: passes, draw, k: K, log: completionOf(options), signal },
      onProgress: ({ epoch, entries, recommender }) =>
        progress.show({ count: entries, text: () => `pass ${epoch}, ${stateOf(recommender)}` }),
    });
    progress.end();
    const { recommender, cause, bestEpoch, epochs, stopped } = learned;
    tellRefused(learned);
    if (cause !== undefined) {
      recommender.dispose();
      throw new Error(`${options.events.join(", ")} taught nothing: ${cause}; ${titleOf(model)} was not written`);
    }
    writeFile(model, recommender.saveChunks());
    const why = stopped === "patience" ? "the held-out figure rose no more" : "all were made";
    process.stderr.write(`${titleOf(model)} written: pass ${bestEpoch} of ${epochs.length}, as ${why}\n`);
    tellCompleted(learned);
    report(recommender, options, told(learned.validation, options));
    recommender.dispose();
  } finally {
    lock.release();
  }
}
