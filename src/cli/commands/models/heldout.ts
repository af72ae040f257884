import { learnFromLog } from "../../../evaluation/index.js";
import { UsageError } from "../../reading/arguments.js";
import { Inputs, readDecisions } from "../../reading/input.js";
import { lookThrough } from "../../reading/order.js";
import { Progress } from "../../reports/index.js";
import { STANDARD, takeModel, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { K, tellJudged } from "./judged.js";
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
  const log = await lookThrough(options.events, signal);
  const progress = new Progress("events");
  async function* events() {
    yield* await log.open(new Inputs(options.events, signal));
  }
  const given = givenSettings(options);
  // Word vectors decide the groups, whatever the log has.
  const none = {
    onAir: "events",
    slates: "none",
    gapMs: undefined,
    isWatchAtBegin: false,
    kinds: { watch: 1 },
  } as const;
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
    report(recommender, options, () =>
      tellJudged(learned.validation, recommender, { part: "held-out", how: "held-out visits" }, options),
    );
    recommender.dispose();
  } finally {
    lock.release();
  }
}
