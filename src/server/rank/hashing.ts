import { show } from "../../check/index.js";
import type { SparseOptions } from "../../engine/index.js";
import { hashText, log1p } from "../../numeric/index.js";
import { EventError } from "../../protocol/index.js";

/** Most actions of a request. */
export const ACTIONS_MAX = 200;
/** Most features of a context, and of an action. */
const CONTEXT_MAX = 64;
const ACTION_MAX = 31;
/** So many first features of a context are crossed with so many of an action. */
const CROSSED_CONTEXT = 12;
const CROSSED_ACTION = 8;
/** Names within names. */
const DEPTH_MAX = 4;
const NAME_MAX = 256;

/** Index inputs of the network: of a context, and of an action with what it has in common with the context. */
export const CONTEXT: SparseOptions = { slots: CONTEXT_MAX, size: 1024 };
export const ACTION: SparseOptions = { slots: ACTION_MAX + 1 + CROSSED_CONTEXT * CROSSED_ACTION, size: 4096 };

/** A feature as a number: what stands for its name, with that of its value where this is no number, and its weight. */
export interface Feature {
  readonly hash: number;
  readonly weight: number;
}

/** Indices and their weights, as many of one as of the other. */
export interface SparseRow {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

/**
 * The features of an object, or of an array of objects: texts, numbers, true and false; arrays of them; and objects, whose
 * names stand before those of their features. A number counts by the logarithm of its size.
 *
 * @param what Its field, for messages.
 * @throws EventError that names the field.
 */
export function flattened(value: unknown, what: string): Feature[] {
  const most = what.startsWith("actions") ? ACTION_MAX : CONTEXT_MAX;
  const features: Feature[] = [];
  const add = (text: string, weight: number) => {
    if (weight === 0) return;
    if (features.length === most) throw new EventError(what, `"${what}" must have at most ${most} features`);
    features.push({ hash: hashText(text), weight });
  };
  const walk = (item: unknown, path: string, depth: number): void => {
    if (item === null || item === undefined) return;
    if (typeof item === "boolean") add(`${path}=${item}`, 1);
    else if (typeof item === "string" && item.length <= NAME_MAX) add(`${path}=${item}`, 1);
    else if (typeof item === "number" && Number.isFinite(item)) {
      add(path, Math.fround(item < 0 ? -log1p(-item) : log1p(item)));
    } else if (Array.isArray(item) && depth < DEPTH_MAX) for (const each of item) walk(each, path, depth + 1);
    else if (typeof item === "object" && depth < DEPTH_MAX) {
      for (const [name, each] of Object.entries(item)) walk(each, `${path}.${name}`, depth + 1);
    } else {
      const must = `texts of at most ${NAME_MAX} characters, finite numbers, true, false, and arrays and objects of them`;
      throw new EventError(what, `"${what}" must have features that are ${must}, got ${show(item)}`);
    }
  };
  if (typeof value !== "object" || value === null) {
    throw new EventError(what, `"${what}" must be an object, or an array of objects, of features, got ${show(value)}`);
  }
  walk(value, "", 0);
  return features;
}

/** The index inputs of a context. */
export function contextRow(features: readonly Feature[]): SparseRow {
  return {
    indices: features.map(({ hash }) => hash % CONTEXT.size),
    weights: features.map(({ weight }) => weight),
  };
}

/** The index inputs of an action in a context: its id, its features, and pairs of one of them and one of the context. */
export function actionRow(id: string, features: readonly Feature[], context: readonly Feature[]): SparseRow {
  const all = [{ hash: hashText(`id=${id}`), weight: 1 }, ...features];
  const indices = all.map(({ hash }) => hash % ACTION.size);
  const weights = all.map(({ weight }) => weight);
  for (const own of all.slice(0, CROSSED_ACTION)) {
    for (const other of context.slice(0, CROSSED_CONTEXT)) {
      indices.push((Math.imul(own.hash ^ 0x9e3779b9, other.hash | 1) >>> 8) % ACTION.size);
      weights.push(Math.fround(own.weight * other.weight));
    }
  }
  return { indices, weights };
}

/** Rows for the network, -1 where a slot is not used. */
export function padded(
  rows: readonly SparseRow[],
  { slots }: SparseOptions,
): { indices: Int32Array; weights: Float32Array } {
  const indices = new Int32Array(rows.length * slots).fill(-1);
  const weights = new Float32Array(rows.length * slots);
  for (const [i, row] of rows.entries()) {
    indices.set(row.indices, i * slots);
    weights.set(row.weights, i * slots);
  }
  return { indices, weights };
}
