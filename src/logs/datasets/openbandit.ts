import type { Id } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import { type Line, LineError } from "../readers/lines.js";
import type { Source } from "../readers/text.js";
import { float32, float64, type Growing, int32, Numbering } from "./ratings.js";

/** One logged choice of a bandit, with the probability with which it was made. */
export interface BanditRecord {
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** What was shown. */
  item: Id;
  /** Where, from 0. */
  position: number;
  /** Probability that the policy showed this item at this position, in (0, 1]. */
  propensity: number;
  /** What came of it: 1 for a click, else 0. */
  reward: number;
  /** Of the user; opaque words. */
  features: readonly string[];
  /** The user's affinity to each item, by item number; empty where the log has none. */
  affinity: Float32Array;
}

/** What is known of an item of the Open Bandit data. */
export interface BanditItem {
  item: Id;
  /** Features that are numbers, in the order of the file. */
  numbers: readonly number[];
  /** Features that are opaque words. */
  words: readonly string[];
}

/** Logged choices in columns, for off-policy evaluation. */
export interface BanditLog {
  /** Number of records. */
  n: number;
  /** Ids of the dense integers of `action`. */
  items: Id[];
  /** Number of positions. */
  positions: number;
  time: Float64Array;
  action: Int32Array;
  position: Int32Array;
  reward: Float32Array;
  propensity: Float64Array;
  /** Row-major n x `featureNames.length`: 1 where the user has that feature value. One-hot, in the order of appearance. */
  context: Float32Array;
  /** Column of the file and value, such as `0:cef3`, of each column of `context`. */
  featureNames: string[];
  /** Row-major n x `affinities`: the user's affinity to each item. */
  affinity: Float32Array;
  affinities: number;
}

const LOG = ["timestamp", "item_id", "position", "click", "propensity_score|action_prob"];

/**
 * Reads a `{campaign}.csv` of the Open Bandit data: timestamp, item_id, position 1 to 3, click, propensity_score,
 * user_feature_0 .., user-item_affinity_0 ... (Saito et al. 2021, "Open Bandit Dataset and Pipeline", arXiv:2008.07146.)
 *
 * @param name Of the file, for messages. Default none.
 * @throws LineError naming line and field, what it must be and what it was.
 */
export async function* readOpenBandit(source: Source, name?: string): AsyncGenerator<BanditRecord, void, undefined> {
  let columns: Columns | undefined;
  for await (const row of readRows(source, name === undefined ? {} : { name })) {
    columns ??= new Columns(row);
    yield columns.record(row);
  }
}

/** Where the columns of a log stand. */
class Columns {
  readonly #log: number[];
  readonly #features: number[];
  readonly #affinity: number[];

  constructor(row: Line) {
    this.#log = LOG.map((names) => {
      const column = row.columns.findIndex((name) => names.split("|").includes(name));
      if (column < 0) throw new LineError(row.file, 1, `must have a column ${names.replace("|", " or ")}`);
      return column;
    });
    const numbered = (prefix: string) => {
      const found: number[] = [];
      for (let i = 0; row.columns.includes(prefix + i); i++) found.push(row.columns.indexOf(prefix + i));
      return found;
    };
    this.#features = numbered("user_feature_");
    this.#affinity = numbered("user-item_affinity_");
  }

  record(row: Line): BanditRecord {
    const [time, item, position, click, propensity] = this.#log as [number, number, number, number, number];
    const probability = row.decimal(propensity, 0, 1);
    if (probability === 0) throw row.refuse(propensity, "be a number in (0, 1]");
    return {
      time: row.time(time),
      item: row.id(item),
      position: row.integer(position, 1, 1000) - 1,
      propensity: probability,
      reward: row.integer(click, 0, 1),
      features: this.#features.map((column) => row.text(column)),
      affinity: Float32Array.from(this.#affinity, (column) => row.decimal(column, -1e6, 1e6)),
    };
  }
}

/**
 * Reads `item_context.csv`: item_id and item_feature_0 ... A column whose first value is a number holds numbers.
 * @throws LineError naming line and field; an Error when `item_id` is missing.
 */
export async function readOpenBanditItems(source: Source, name?: string): Promise<BanditItem[]> {
  const items: BanditItem[] = [];
  let kinds: boolean[] | undefined;
  for await (const row of readRows(source, name === undefined ? {} : { name })) {
    const at = row.columns.indexOf("item_id");
    if (at < 0) throw new LineError(row.file, 1, "must have a column item_id");
    const features = [...row.columns.keys()].filter((column) => row.columns[column]!.startsWith("item_feature_"));
    kinds ??= features.map((column) => row.isNumber(column));
    items.push({
      item: row.id(at),
      numbers: features.filter((_, i) => kinds![i]).map((column) => row.decimal(column, -Infinity, Infinity)),
      words: features.filter((_, i) => !kinds![i]).map((column) => row.text(column)),
    });
  }
  return items;
}

/**
 * Collects logged choices into columns.
 *
 * @param items Ids that have the first numbers, in order, shown or not: those of the item context. Default none.
 */
export async function collectBandit(
  records: AsyncIterable<BanditRecord> | Iterable<BanditRecord>,
  items: Iterable<Id> = [],
): Promise<BanditLog> {
  const numbers = new Numbering(items);
  const names = new Numbering();
  const [time, propensity, reward] = [float64(), float64(), float32()];
  const [action, position] = [int32(), int32()];
  const affinity: Growing<Float32Array> = float32();
  /** Columns of `context` that are 1, for each record as many as there are features. */
  const ones = int32();
  let features = -1;
  let affinities = -1;
  let positions = 0;
  for await (const record of records) {
    if (features < 0) [features, affinities] = [record.features.length, record.affinity.length];
    if (record.features.length !== features || record.affinity.length !== affinities) {
      throw new RangeError(`records must all have ${features} features and ${affinities} affinities`);
    }
    time.push(record.time);
    propensity.push(record.propensity);
    reward.push(record.reward);
    action.push(numbers.of(record.item));
    position.push(record.position);
    positions = Math.max(positions, record.position + 1);
    for (let i = 0; i < features; i++) ones.push(names.of(`${i}:${record.features[i]}`));
    for (const value of record.affinity) affinity.push(value);
  }
  const n = time.length;
  const width = names.ids.length;
  const context = new Float32Array(n * width);
  ones.values.forEach((column, i) => {
    context[Math.floor(i / features) * width + column] = 1;
  });
  return {
    n,
    items: numbers.ids,
    positions,
    time: time.values,
    action: action.values,
    position: position.values,
    reward: reward.values,
    propensity: propensity.values,
    context,
    featureNames: names.ids,
    affinity: affinity.values,
    affinities: Math.max(affinities, 0),
  };
}
