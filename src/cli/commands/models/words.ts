import { type SavedWordVectors, tokenize, WordVectors, WordVectorTrainer } from "../../../encoders/index.js";
import { readFile } from "../../reading/files.js";
import { Inputs, openEvents, until } from "../../reading/input.js";
import { Progress } from "../../reports/index.js";
import { print, takeModel, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { type Row, writeRows } from "../../writing/results.js";

/** Number of words, the most frequent ones, to print with their neighbours; neighbours of each. */
const [SHOWN, NEAR] = [12, 5] as const;

export interface WordOptions {
  titles: string[];
  model: string;
  seed: number;
  json?: string;
}

/** Loads word vectors from a file. @throws Error that names the file and the fault. */
export function loadWords(file: string): WordVectors {
  const text = new TextDecoder().decode(readFile(file));
  try {
    return new WordVectors(JSON.parse(text) as SavedWordVectors);
  } catch (cause) {
    const what = cause instanceof SyntaxError ? "it is not JSON" : (cause as Error).message;
    throw new Error(`${file}: must be a file that liveq train --titles wrote: ${what}`, { cause });
  }
}

/**
 * Trains word vectors on the titles and tags of a log, and writes them as JSON. Returns false if the signal ended the
 * reading early; it writes the vectors of the part that was read.
 */
export async function trainWords(options: WordOptions, signal: AbortSignal): Promise<boolean> {
  const { titles, model, seed, json } = options;
  tryOutputs(json);
  const lock = takeModel(model);
  const inputs = new Inputs(titles, signal);
  const trainer = new WordVectorTrainer({ seed });
  const progress = new Progress("titles");
  for await (const event of until(signal, await openEvents(inputs))) {
    if (event.kind !== "on_air" && event.kind !== "update") continue;
    const words = tokenize([event.title ?? "", ...(event.tags ?? [])].join(" "));
    if (words.length === 0) continue;
    trainer.learn(words);
    progress.show({ count: trainer.texts, fraction: inputs.fraction });
  }
  const vectors = trainer.vectors();
  progress.end();
  const { words } = vectors;
  if (words.length === 0) {
    const { minCount } = trainer.options;
    throw new Error(
      `${inputs.title}: must hold titles or tags with words that are in ${minCount} of them, next to other words`,
    );
  }
  writeFile(model, new TextEncoder().encode(`${JSON.stringify(vectors.save())}\n`));
  lock.release();
  const learned = `${words.length} words of ${trainer.texts} titles in ${progress.seconds.toFixed(1)} s`;
  process.stderr.write(`${titleOf(model)} written: ${learned}\n`);
  for (const word of words.slice(0, SHOWN)) {
    const near = vectors.nearest(word, NEAR).map((each) => `${each.word} ${each.similarity.toFixed(2)}`);
    print(`${word}: ${near.join(", ")}\n`, json, model);
  }
  const figures = Object.entries({ titles: trainer.texts, words: words.length });
  const common = { suite: "recommender", case: "train/words", unit: "1", seeds: [seed] };
  writeRows(
    json,
    figures.map(([metric, value]): Row => ({ ...common, metric, value })),
  );
  return !signal.aborted;
}
