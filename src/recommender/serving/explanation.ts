import type {
  Decision,
  ExplainedFacts,
  ExplainedValue,
  Explanation,
  GroupEffect,
  LeftOutBy,
  Margins,
  RunnerUp,
  Source,
} from "../../protocol/index.js";
import type { Features } from "../features/index.js";
import type { Scene } from "../retrieval/index.js";
import type { CatalogStream } from "../state/index.js";
import type { Among, Ranked, Slate, SlateBuilder } from "./slate.js";
import { type CandidateValues, slateValue } from "./value.js";

/** Most runners-up of a decision. */
const RUNNERS_UP = 3;

/** A drawn slate with all that its explanation reads, before the slate is remembered. */
export interface Drawn {
  readonly scene: Scene & CandidateValues & Ranked & { readonly k: number };
  readonly among: Among;
  readonly slate: Slate;
  readonly builder: SlateBuilder;
  readonly features: Features;
  /** The sources that proposed a stream beside the one that it counts for. */
  readonly also: ReadonlyMap<CatalogStream, ReadonlySet<Source>>;
  /** The agent's values of rows; undefined while it has learned too little to be asked. */
  readonly evaluate: ((observation: Float32Array, rows: Float32Array) => CandidateValues) | undefined;
  /** (n, 2): what the visit itself, and what the return adds to the value of each row; undefined: not known. */
  readonly parts: ((observation: Float32Array, rows: Float32Array) => Float32Array | undefined) | undefined;
  facts(stream: CatalogStream): ExplainedFacts;
}

/** What scores are measured by. */
interface Bar {
  /** The value of the request. */
  readonly level: number;
  /** The weights of the shown streams and of nothing, together. */
  readonly mass: number;
}

/** The shown streams and the runners-up, in this order, when nothing or a group is unknown. */
interface Judged extends CandidateValues {
  readonly scores: readonly number[];
  /** The place of each by score, from 0; ties in order. */
  readonly ranks: readonly number[];
}

/**
 * Why these streams, and why not the next ones. Draws and changes nothing.
 *
 * Occlusion is exact: for each group one evaluation of all shown streams and runners-up, with the group unknown for the
 * user and for the streams. The effect on a stream's score takes this stream alone without the group, everything else as
 * it is; its rank takes all of them without the group, so that what a group does to all alike moves none.
 *
 * @param count - How many streams to explain, of the first.
 */
export function explain(drawn: Drawn, count: number): Required<Pick<Decision, "explanations" | "runnersUp">> {
  const { scene, slate, builder, among } = drawn;
  const { streams, values, choices, nothing = 0, ranked } = scene;
  const shown = slate.indices;
  const isShown = new Set(shown);
  const left = ranked.filter((index) => !isShown.has(index));
  const all = [...shown, ...left.subarray(0, RUNNERS_UP)];
  const pick = (from: Float32Array) => Float32Array.from(all, (index) => from[index]!);
  const known = { values: pick(values), choices: choices && pick(choices), nothing };
  const level = choices && slateValue(values, choices, nothing, ranked.subarray(0, scene.k));
  const mass = shown.reduce((sum, index) => sum + (choices?.[index] ?? 0), 1);
  const bar = { level: level ?? 0, mass };
  const own = judged(known, bar);
  const { evaluate } = drawn;
  const rows = rowsOf(drawn, all);
  const occluded = evaluate && shown.length > 0 ? occlude(drawn, evaluate, rows, known, bar) : [];
  const parts = evaluate && shown.length > 0 ? drawn.parts?.(scene.observation, rows) : undefined;
  const best = builder.chances({ ...among, heads: [scene] }, shown).map((at) => at.keys().next().value);
  const explanations = shown.slice(0, count).map((index, i): Explanation => {
    const stream = streams[index]!;
    return {
      stream: stream.id,
      position: i,
      propensity: slate.propensities[i]!,
      explored: best[i] !== index,
      sources: [scene.sources[index]!, ...(drawn.also.get(stream) ?? [])],
      basis: drawn.evaluate ? "learned" : "viewers",
      value: { total: values[index]!, ...partsOf(parts, i, all.length) },
      ...(choices && relative(values[index]!, choices[index]!, bar)),
      score: own.scores[i]!,
      ...effects(own, occluded, i, bar),
      margins: marginsOf(drawn, own.scores, i, replacement(drawn, left, i), bar),
      facts: drawn.facts(stream),
    };
  });
  const lowest = Math.min(...own.scores.slice(0, shown.length));
  const runnersUp = all.slice(shown.length).map((index, i): RunnerUp => {
    const score = own.scores[shown.length + i]!;
    const deficit = shown.length > 0 ? lowest - score : 0;
    return { stream: streams[index]!.id, score, deficit, reason: reasonOf(drawn, index, deficit) };
  });
  return { explanations, runnersUp };
}

function judged(known: CandidateValues, bar: Bar): Judged {
  const scores = Array.from(known.values, (_, i) => scoreOf(known, i, bar));
  const order = [...scores.keys()].sort((i, j) => scores[j]! - scores[i]!);
  const ranks = new Array<number>(scores.length);
  for (const [rank, i] of order.entries()) ranks[i] = rank;
  return { ...known, scores, ranks };
}

/** What an entry adds to the value of the request, in expectation; without weights the value. */
function scoreOf({ values, choices }: CandidateValues, i: number, { level, mass }: Bar): number {
  return choices === undefined ? values[i]! : (choices[i]! / mass) * (values[i]! - level);
}

/** The parts of the i-th value of n, where the agent has two for each. */
function partsOf(parts: Float32Array | undefined, i: number, n: number): Omit<ExplainedValue, "total"> {
  return parts?.length === 2 * n ? { immediate: parts[2 * i]!, return: parts[2 * i + 1]! } : {};
}

/** What depends on the weights of the choice. */
function relative(value: number, weight: number, { level, mass }: Bar) {
  return { choice: { weight, chance: weight / mass }, slateValue: level, advantage: value - level };
}

/** What each group does for the i-th stream. */
function effects(own: Judged, occluded: readonly { group: string; without: Judged }[], i: number, bar: Bar) {
  const groups = occluded.map(({ group, without }): GroupEffect => {
    const choice = (own.choices?.[i] ?? 0) - (without.choices?.[i] ?? 0);
    const score = own.scores[i]! - scoreOf(without, i, { level: bar.level, mass: bar.mass - choice });
    return { group, value: own.values[i]! - without.values[i]!, choice, score, rank: without.ranks[i]! };
  });
  groups.sort((one, other) => Math.abs(other.score) - Math.abs(one.score));
  const moved = ({ rank }: GroupEffect) => Math.abs(rank - own.ranks[i]!);
  const most = Math.max(0, ...groups.map(moved));
  const decisive = groups.find((effect) => moved(effect) === most);
  return { groups, ...(most > 0 && { decisive: decisive!.group }) };
}

/** Copies of the rows of some candidates. */
function rowsOf({ scene, features }: Drawn, indices: readonly number[]): Float32Array {
  const size = features.candidateSize;
  const rows = new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries()) {
    rows.set(scene.candidates.subarray(index * size, (index + 1) * size), i * size);
  }
  return rows;
}

/** The same streams without each group of features in turn. */
function occlude(
  { scene, features, slate }: Drawn,
  evaluate: NonNullable<Drawn["evaluate"]>,
  whole: Float32Array,
  known: CandidateValues,
  { level, mass }: Bar,
): { group: string; without: Judged }[] {
  const shown = [...slate.indices.keys()];
  const worth = ({ values, choices, nothing = 0 }: CandidateValues) =>
    choices === undefined ? 0 : slateValue(values, choices, nothing, shown);
  return features.groups.map(({ name }, group) => {
    const [observation, rows] = [scene.observation.slice(), whole.slice()];
    features.occlude(group, observation, rows);
    const without = evaluate(observation, rows);
    // The value of the request moves as that of the shown slate does.
    return { group: name, without: judged(without, { level: level + worth(without) - worth(known), mass }) };
  });
}

/** The best candidate left out that may take the i-th place; -1: none may. */
function replacement({ among, slate, builder }: Drawn, left: Int32Array, i: number): number {
  const { candidates, ignored } = among;
  const others = slate.indices.filter((_, j) => j !== i);
  let late = -1;
  for (const index of left) {
    if (builder.limitOf(candidates[index]!, candidates, others) !== undefined) continue;
    if (!builder.isLate(index, ignored)) return index;
    if (late < 0) late = index;
  }
  return late;
}

function marginsOf({ scene, slate }: Drawn, scores: readonly number[], i: number, next: number, bar: Bar): Margins {
  const score = scores[i]!;
  return {
    ...(i > 0 && { up: scores[i - 1]! - score }),
    ...(i + 1 < slate.indices.length && { down: score - scores[i + 1]! }),
    ...(next >= 0 && { out: score - scoreOf(scene, next, bar), next: scene.streams[next]!.id }),
  };
}

/** Why a candidate is not shown. */
function reasonOf({ scene, among, slate, builder }: Drawn, index: number, deficit: number): LeftOutBy {
  const { candidates, ignored } = among;
  const limit = builder.limitOf(candidates[index]!, candidates, slate.indices);
  const isFull = slate.indices.length === scene.k;
  if (deficit > 0 && isFull) return "score";
  if (limit !== undefined) return limit;
  if (builder.isLate(index, ignored)) return "seenMax";
  if (deficit === 0) return "score";
  return builder.options.diversity === undefined ? "explore" : "diversity";
}
