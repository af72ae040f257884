import type { Id } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import { type Line, LineError } from "../readers/lines.js";
import type { ByteSource } from "../readers/text.js";
import { DenseIds, type GrowingArray, growingFloat32, growingFloat64, growingInt32 } from "./ratings.js";

/** One logged choice of a bandit, with its probability. */
export interface BanditRecord {
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** The item shown. */
  item: Id;
  /** Position on the page, from 0. */
  position: number;
  /** Probability that the policy showed this item at this position, in (0, 1]. */
  propensity: number;
  /** 1 for a click, else 0. */
  reward: number;
  /** Features of the user; opaque words. */
  features: readonly string[];
  /** The user's affinity to each item, by item number; empty if the log has none. */
  affinity: Float32Array;
}

/** An item of the Open Bandit data. */
export interface BanditItem {
  item: Id;
  /** Numeric features, in the order of the file. */
  numbers: readonly number[];
  /** Features as opaque words. */
  words: readonly string[];
}

/** Logged choices in columns, for off-policy evaluation. */
export interface BanditLog {
  /** Number of records. */
  n: number;
  /** Ids of the items, by the dense integers of `action`. */
  items: Id[];
  /** Number of positions. */
  positions: number;
  time: Float64Array;
  action: Int32Array;
  position: Int32Array;
  reward: Float32Array;
  propensity: Float64Array;
  /** Row-major n x `featureNames.length`: 1 if the user has the feature value, else 0; columns in order of appearance. */
  context: Float32Array;
  /** For each column of `context` its feature and value, such as `0:cef3`. */
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
 * @throws LineError naming line, field, requirement and value.
 */
export async function* readOpenBandit(
  source: ByteSource,
  name?: string,
): AsyncGenerator<BanditRecord, void, undefined> {
  let columns: LogColumns | undefined;
  for await (const row of readRows(source, name === undefined ? {} : { name })) {
    columns ??= new LogColumns(row);
    yield columns.record(row);
  }
}

/** Positions of the columns of a log. */
class LogColumns {
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
 * @throws LineError naming line and field, or a missing column `item_id`.
 */
export async function readOpenBanditItems(source: ByteSource, name?: string): Promise<BanditItem[]> {
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
 * @param items Ids to number first, in this order, shown or not: those of the item context. Default none.
 * @throws RangeError for records with different numbers of features or affinities.
 */
export async function collectBanditLog(
  records: AsyncIterable<BanditRecord> | Iterable<BanditRecord>,
  items: Iterable<Id> = [],
): Promise<BanditLog> {
  const numbers = new DenseIds(items);
  const names = new DenseIds();
  const [time, propensity, reward] = [growingFloat64(), growingFloat64(), growingFloat32()];
  const [action, position] = [growingInt32(), growingInt32()];
  const affinity: GrowingArray<Float32Array> = growingFloat32();
  /** Columns of `context` that are 1; each record has one for each feature. */
  const ones = growingInt32();
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
