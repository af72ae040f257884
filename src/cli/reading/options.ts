import { readFileSync } from "node:fs";
import { type DqnRankerOptions, trainDqnRanker } from "../../ranking/index.js";
import {
  coreFeatures,
  defaultFeatures,
  type FeatureGroup,
  Recommender,
  type RecommenderOptions,
} from "../../recommender/index.js";
import { optionalGroups } from "./model.js";

/** Options as a JSON file holds them: of a recommender, with `features` by name, or of the ranker of films. */
export type JsonOptions = Record<string, unknown>;

/** @throws Error that names the file. */
export function readJsonObject(file: string): JsonOptions {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`${file}: must be a file with one JSON object: ${(cause as Error).message}`, { cause });
  }
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  if (!isObject) throw new Error(`${file}: must hold one JSON object`);
  return json as JsonOptions;
}

/** Groups of features by name; `"core"` and `"default"` are the lists that the recommender knows by these names. */
function groupsOf(given: unknown): FeatureGroup[] {
  if (given === "core") return coreFeatures();
  if (given === "default") return defaultFeatures();
  const known = new Map([...coreFeatures(), ...optionalGroups(), ...defaultFeatures()].map((one) => [one.name, one]));
  const names = [...known.keys()].sort();
  const isList = Array.isArray(given) && given.length > 0 && given.every((name) => known.has(name as string));
  if (!isList) {
    const got = JSON.stringify(given);
    throw new RangeError(`"features" must be "core", "default" or a list of ${names.join(", ")}, got ${got}`);
  }
  return given.map((name) => known.get(name as string)!);
}

/**
 * The options of a recommender from JSON, checked as far as can be without one.
 * @throws RangeError for unknown groups of features.
 */
export function recommenderOptions({ features, ...others }: JsonOptions): Partial<RecommenderOptions> {
  return { ...others, ...(features !== undefined && { features: groupsOf(features) }) };
}

/** Options of a recommender from a file. @throws Error that names the file and the option. */
export function readRecommenderOptions(file: string): Partial<RecommenderOptions> {
  const json = readJsonObject(file);
  try {
    checkRecommender(json);
    return recommenderOptions(json);
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws TypeError or RangeError for options that no recommender takes. */
export function checkRecommender(json: JsonOptions): void {
  new Recommender(recommenderOptions(json)).dispose();
}

/** @throws TypeError or RangeError for options that the ranker of films does not take. */
export async function checkRanker(json: JsonOptions): Promise<void> {
  const none = new Float64Array(0);
  const train = { users: 0, items: 0, user: new Int32Array(0), item: new Int32Array(0), value: none, time: none };
  const enough = new Error("options are right");
  // It looks at its options first, and then at the signal.
  const checking = trainDqnRanker({ train, items: [] } as never, json as DqnRankerOptions, {
    signal: AbortSignal.abort(enough),
  });
  await checking.catch((error: unknown) => {
    if (error !== enough) throw error;
  });
}

/** A point of a search space as options: `learner.batchSize` becomes `{ learner: { batchSize } }`. */
export function nested(point: Readonly<Record<string, unknown>>): JsonOptions {
  const options: JsonOptions = {};
  for (const [path, value] of Object.entries(point)) {
    const names = path.split(".");
    let at = options;
    for (const name of names.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as JsonOptions;
    }
    at[names.at(-1)!] = value;
  }
  return options;
}
