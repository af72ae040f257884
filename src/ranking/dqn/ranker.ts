import {
  above,
  between,
  checked,
  fields,
  group,
  integer,
  numbers,
  type Rules,
  requireFloats,
  requireShape,
  type Shape,
} from "../../check/index.js";
import {
  DQN,
  type FileBytes,
  type LearnerOptions,
  packSnapshot,
  SnapshotError,
  unpackSnapshot,
} from "../../engine/index.js";
import type { Ranker } from "../../evaluation/index.js";
import { type Interactions, lastOfEachPair, type UserHistories, userHistories } from "../../logs/index.js";
import { Random } from "../../numeric/index.js";
import { FactorRanker } from "../bpr.js";
import { CrossFittedFactors } from "./factors.js";
import { featureNames, writeFeatures } from "./features.js";
import { defaultRankerFeatures, type RankerFeatureGroup, rankerFeatureGroups } from "./groups.js";
import { stateNames, UserHistory } from "./history.js";
import { ItemTable, type ItemTableOptions, type ItemTraits } from "./items.js";
import { Scaler } from "./scaler.js";

export type { ItemTraits } from "./items.js";

/** Training data of a ranker. */
export interface DqnRankerData {
  /** In order of time; only the last interaction of a user with an item counts. `value` is a rating. */
  train: Interactions;
  /** Traits of each item. */
  items: readonly ItemTraits[];
}

/** Options of `trainDqnRanker`. The defaults were chosen on the last but one interactions of MovieLens-100K. */
export interface DqnRankerOptions {
  /** Passes over the users, [1, 1000]. Default 1. */
  epochs?: number;
  /** Number of items drawn for each interaction from those that the user never has, [1, 255]. Default 16. */
  negatives?: number;
  /** Number of these to learn from as shown and not chosen, with reward 0, [1, 255], at most `negatives`. Default 8. */
  shown?: number;
  /**
   * Number of shown items taken from those with the highest values, as the agent would show them, [0, 255], at most
   * `shown`. Default 4. Zhang et al. 2013, "Optimizing Top-N Collaborative Filtering via Dynamic Negative Item
   * Sampling".
   */
  hard?: number;
  /**
   * The reward of a choice is `1 - ratingWeight + ratingWeight * rating / (highest rating)`; [0, 1]. Default 0: the
   * ranker predicts the next item, liked or not. At 1 it prefers items with high ratings, and HR@10 on MovieLens-100K
   * falls from .25 to .20.
   */
  ratingWeight?: number;
  /** Discount of the value of the user's next choice, [0, 1]. Default 0.5. */
  gamma?: number;
  /** Adam's learning rate at the start, (0, 1]; falls linearly to a tenth. Default 1e-3. */
  learningRate?: number;
  /** Transitions for each update, [1, 1e6]. Default 40. */
  trainEvery?: number;
  /** Other options of the agent. Default hidden [64, 32], batchSize 128, capacity 50000, targetEvery 250. */
  learner?: Omit<LearnerOptions, "learningRate" | "maxGradNorm">;
  /**
   * Groups of features, each once and not `pace` alone. Default popularity, overlap, order, factors, genres, year and
   * rating.
   */
  features?: readonly RankerFeatureGroup[];
  /** Interactions of one user that are more steps apart are not near each other, [1, 1000]. Default 20. */
  window?: number;
  /** Factor on the nearness of two interactions at each further step between them, (0, 1]. Default 0.9. */
  decay?: number;
  /** Number of folds of the cross-fitted matrix factorisation and of EASE, [2, 100]. Default 3. */
  folds?: number;
  /** Seed of everything random, [0, 2^53 - 1]. Default 1. */
  seed?: number;
}

/** Progress of a training. */
export interface DqnRankerProgress {
  epoch: number;
  epochs: number;
  /** Users done in this epoch. */
  users: number;
  updates: number;
  /** Mean loss of the updates since the last report; NaN where there were none. */
  loss: number;
}

export interface DqnRankerCallbacks {
  onProgress?: (progress: DqnRankerProgress) => void;
  /**
   * Ends training at the next pause, a fraction of a second later, with the ranker as trained so far; before the first
   * update, training rejects with the signal's reason.
   */
  signal?: AbortSignal;
}

/** Whether a value is a list of groups of features from which rows can be written. */
function isFeatures(value: unknown): boolean {
  if (!Array.isArray(value) || new Set(value).size !== value.length) return false;
  return value.every((name) => rankerFeatureGroups.includes(name)) && value.some((name) => name !== "pace");
}

const RULES: Rules<DqnRankerOptions> = {
  epochs: integer(1, 1000),
  negatives: integer(1, 255),
  shown: integer(1, 255),
  hard: integer(0, 255),
  ratingWeight: between(0, 1),
  gamma: between(0, 1),
  learningRate: above(0, 1),
  trainEvery: integer(1, 1e6),
  learner: group,
  features: [isFeatures, `some of ${rankerFeatureGroups.join(", ")}, each once, not "pace" alone`],
  window: integer(1, 1000),
  decay: above(0, 1),
  folds: integer(2, 100),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};
const DEFAULTS: Required<DqnRankerOptions> = {
  epochs: 1,
  negatives: 16,
  shown: 8,
  hard: 4,
  ratingWeight: 0,
  gamma: 0.5,
  learningRate: 1e-3,
  trainEvery: 40,
  learner: {},
  features: defaultRankerFeatures,
  window: 20,
  decay: 0.9,
  folds: 3,
  seed: 1,
};
const LEARNER: DqnRankerOptions["learner"] = {
  hidden: [64, 32],
  batchSize: 128,
  capacity: 50_000,
  targetEvery: 250,
  tau: 1,
  loss: "huber",
  normalization: "none",
  adamEpsilon: 1e-8,
};
/** Chosen on the last but one interactions: more of either takes time and gains nothing. */
const FACTORS = { factors: 32, epochs: 20 };
/** Number of items in one call of the agent. */
const CANDIDATES_MAX = 2048;
/** Approximate number of interactions, all of some users, that the scales of the features are measured on. */
const SAMPLE = 16384;
/** Users between two pauses. */
const USERS_PER_PAUSE = 16;

/**
 * Trains a DQN on a log of interactions to rank a user's next items.
 *
 * An episode is the history of a user, a state the history so far, an action an item. The user's next item is rewarded;
 * items drawn from those that the user never has stand for items that were shown and not chosen, with reward 0. The
 * next state has candidates drawn likewise. The last interaction of a user has no next state, and only serves as one.
 *
 * @throws TypeError or RangeError for unknown or wrong options, or data whose lengths differ; the reason of `signal`
 *   when aborted before the first update.
 */
export async function trainDqnRanker(
  data: DqnRankerData,
  options: DqnRankerOptions = {},
  callbacks: DqnRankerCallbacks = {},
): Promise<DqnRanker> {
  const resolved = checked<DqnRankerOptions>(options, RULES, DEFAULTS) as Required<DqnRankerOptions>;
  const { negatives, shown, hard, seed, folds } = resolved;
  if (shown > negatives) throw new RangeError(`"shown" must be at most "negatives" (${negatives}), got ${shown}`);
  if (hard > shown) throw new RangeError(`"hard" must be at most "shown" (${shown}), got ${hard}`);
  if (data.items.length !== data.train.items) {
    throw new RangeError(`"items" must have ${data.train.items} entries, got ${data.items.length}`);
  }
  const train = lastOfEachPair(data.train);
  const { signal, onProgress } = callbacks;
  const pause = async () => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
  };
  await pause();
  const table = new ItemTable(train, data.items, resolved);
  const factors = resolved.features.includes("factors")
    ? await CrossFittedFactors.train(train, folds, { ...FACTORS, seed }, pause)
    : undefined;
  const trainer = new Trainer(train, table, factors, resolved);
  try {
    await trainer.run(pause, onProgress);
  } catch (error) {
    if (!signal?.aborted || trainer.agent.updates === 0) throw error;
  }
  const { agent, scales } = trainer;
  return new DqnRanker({ agent, train, traits: data.items, table, factors: factors?.whole, scales, options: resolved });
}

/** Scalers of state rows and feature rows. */
interface Scales {
  state: Scaler;
  features: Scaler;
}

/** The kind of snapshot that `save` writes. */
const KIND = "ranker";

/** @throws SnapshotError for a log whose columns do not fit together. */
interface Sizes {
  users: number;
  items: number;
  factors: number;
}

const many = integer(0, 2 ** 24);
const SIZES: Shape = fields<Sizes>({ users: many, items: many, factors: integer(0, 4096) });

/** The agent of a file, whose rows must be those of the features. */
function agentOf(file: Uint8Array, widths: { state: number; features: number }): DQN {
  const agent = DQN.load(file);
  const { observation, candidates } = agent.options;
  const own = [observation, candidates?.features, candidates?.max];
  const expected = [widths.state, widths.features, CANDIDATES_MAX];
  if (String(own) === String(expected)) return agent;
  agent.dispose();
  throw new SnapshotError(`the file's agent has rows of ${own}, expected ${expected}`);
}

function checkLog({ users, items, user, item, value, time }: Interactions, traits: number): void {
  const n = user.length;
  const isSound =
    item.length === n &&
    value.length === n &&
    time.length === n &&
    traits === items &&
    user.every((u) => u >= 0 && u < users) &&
    item.every((i) => i >= 0 && i < items) &&
    value.every(Number.isFinite) &&
    time.every(Number.isFinite);
  if (!isSound) throw new SnapshotError("the log in the file does not fit together");
}

/** A state and its candidates: the user's next item, then negatives. */
class Choice {
  readonly state: Float32Array;
  readonly candidates: Float32Array;
  rating = Number.NaN;

  /** @param width - Number of a candidate's features. */
  constructor(
    candidates: number,
    state: number,
    private readonly width: number,
  ) {
    this.state = new Float32Array(state);
    this.candidates = new Float32Array(candidates * width);
  }

  candidate(index: number): Float32Array {
    return this.candidates.subarray(index * this.width, (index + 1) * this.width);
  }

  /** Moves the `count` negatives with the highest values to the front of the negatives. */
  raise(values: Float64Array, count: number): void {
    const row = new Float32Array(this.width);
    for (let to = 1; to <= count; to++) {
      let best = to;
      for (let c = to + 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
      row.set(this.candidate(to));
      this.candidate(to).set(this.candidate(best));
      this.candidate(best).set(row);
      values[best] = values[to]!;
    }
  }
}

/** Trains the agent on histories, user by user. */
class Trainer {
  readonly agent: DQN;
  readonly scales: Scales;
  private readonly history: UserHistory;
  private readonly byUser: UserHistories;
  private readonly random: Random;
  private readonly had: Uint8Array;
  private readonly highest: number;
  private readonly stateWidth: number;
  private readonly width: number;
  private loss = 0;
  private losses = 0;

  constructor(
    private readonly train: Interactions,
    private readonly table: ItemTable,
    private readonly factors: CrossFittedFactors | undefined,
    private readonly options: Required<DqnRankerOptions>,
  ) {
    const { gamma, seed, learningRate, epochs, shown, negatives } = options;
    this.history = new UserHistory(table);
    this.stateWidth = stateNames(table.features).length;
    this.width = featureNames(table.features).length;
    this.byUser = userHistories(train);
    this.random = Random.named(seed, "ranker");
    this.had = new Uint8Array(train.items);
    this.highest = train.value.reduce((highest, value) => Math.max(highest, value), 0) || 1;
    this.scales = this.measure();
    const steps = epochs * train.user.length * (1 + shown);
    this.agent = new DQN({
      ...LEARNER,
      ...options.learner,
      observation: this.stateWidth,
      candidates: { max: CANDIDATES_MAX, features: this.width, next: 1 + negatives },
      learningRate: { type: "linear", from: learningRate, to: learningRate / 10, steps: Math.max(steps, 1) },
      gamma,
      seed,
    });
  }

  async run(pause: () => Promise<void>, onProgress: DqnRankerCallbacks["onProgress"]): Promise<void> {
    const { epochs } = this.options;
    const users = Array.from({ length: this.train.users }, (_, user) => user);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      this.random.shuffle(users);
      for (let done = 1; done <= users.length; done++) {
        this.learnFrom(users[done - 1]!);
        if (done % USERS_PER_PAUSE !== 0 && done < users.length) continue;
        const loss = this.losses === 0 ? Number.NaN : this.loss / this.losses;
        this.loss = this.losses = 0;
        onProgress?.({ epoch, epochs, users: done, updates: this.agent.updates, loss });
        await pause();
      }
    }
  }

  private learnFrom(user: number): void {
    let previous = this.choice();
    let current = this.choice();
    for (const event of this.walk(user)) {
      this.write(event, current);
      this.scales.state.apply(current.state);
      this.scales.features.apply(current.candidates);
      current.raise(Float64Array.from(this.agent.evaluate(current.state, current.candidates)), this.options.hard);
      if (this.history.length > 0) this.observe(previous, current);
      [previous, current] = [current, previous];
    }
  }

  private choice(): Choice {
    return new Choice(1 + this.options.negatives, this.stateWidth, this.width);
  }

  private observe(choice: Choice, next: Choice): void {
    const { shown, ratingWeight, trainEvery } = this.options;
    for (let c = 0; c <= shown; c++) {
      const reward = c === 0 ? 1 - ratingWeight + (ratingWeight * choice.rating) / this.highest : 0;
      this.agent.observe({
        observation: choice.state,
        candidate: choice.candidate(c),
        reward,
        terminated: false,
        nextObservation: next.state,
        nextCandidates: next.candidates,
      });
      if (this.agent.steps % trainEvery !== 0) continue;
      const loss = this.agent.learn();
      if (Number.isNaN(loss)) continue;
      this.loss += loss;
      this.losses++;
    }
  }

  /** The interactions of a user; at each, `history` holds those before it, and `had` marks all of the user's items. */
  private *walk(user: number): Generator<number, void, undefined> {
    const { train, history, had, byUser } = this;
    const own = byUser.event.subarray(byUser.start[user]!, byUser.start[user + 1]!);
    // A user with every item has no negative.
    if (own.length === train.items) return;
    for (const event of own) had[train.item[event]!] = 1;
    history.begin(user);
    for (const event of own) {
      history.now = train.time[event]!;
      yield event;
      history.push(train.item[event]!, train.value[event]!, train.time[event]!);
    }
    for (const event of own) had[train.item[event]!] = 0;
  }

  private write(event: number, choice: Choice): void {
    const { train, table, history, random, had } = this;
    const factors = this.factors?.without(event);
    choice.rating = train.value[event]!;
    history.write(choice.state);
    writeFeatures(table, history, factors, train.item[event]!, choice.rating, choice.candidates, 0);
    for (let at = this.width; at < choice.candidates.length; at += this.width) {
      let item = random.below(train.items);
      while (had[item] === 1) item = random.below(train.items);
      writeFeatures(table, history, factors, item, Number.NaN, choice.candidates, at);
    }
  }

  /** Fits the scalers on the choices of some users. */
  private measure(): Scales {
    const { train, random } = this;
    const states: number[] = [];
    const features: number[] = [];
    const choice = this.choice();
    const share = Math.min(SAMPLE / Math.max(train.user.length, 1), 1);
    for (let user = 0; user < train.users; user++) {
      if (!random.bernoulli(share)) continue;
      for (const event of this.walk(user)) {
        this.write(event, choice);
        for (const value of choice.state) states.push(value);
        for (const value of choice.candidates) features.push(value);
      }
    }
    return {
      state: Scaler.fit(Float32Array.from(states), this.stateWidth),
      features: Scaler.fit(Float32Array.from(features), this.width),
    };
  }
}

/** Parts of a ranker. */
interface Parts {
  agent: DQN;
  train: Interactions;
  traits: readonly ItemTraits[];
  table: ItemTable;
  /** Undefined without that group of features. */
  factors: FactorRanker | undefined;
  scales: Scales;
  options: ItemTableOptions;
}

/** Ranks by the action values of a trained DQN, for the users of its training log. */
export class DqnRanker implements Ranker {
  readonly name = "dqn";
  readonly agent: DQN;
  /** The training log, whose users it ranks for. */
  readonly train: Interactions;
  private readonly parts: Parts;
  private readonly history: UserHistory;
  private readonly byUser: UserHistories;

  /** Made by {@link trainDqnRanker} or {@link DqnRanker.load}. */
  constructor(parts: Parts) {
    this.parts = parts;
    this.agent = parts.agent;
    this.train = parts.train;
    this.history = new UserHistory(parts.table);
    this.byUser = userHistories(parts.train);
  }

  score(user: number, now: number, items: Int32Array, out: Float64Array): void {
    const { agent, history, train, byUser } = this;
    const { table, factors, scales } = this.parts;
    const width = scales.features.mean.length;
    history.begin(user);
    for (const event of byUser.event.subarray(byUser.start[user]!, byUser.start[user + 1]!)) {
      history.push(train.item[event]!, train.value[event]!, train.time[event]!);
    }
    history.now = now;
    history.write(agent.observation);
    scales.state.apply(agent.observation);
    for (let from = 0; from < items.length; from += CANDIDATES_MAX) {
      const part = items.subarray(from, from + CANDIDATES_MAX);
      const rows = agent.candidates.subarray(0, part.length * width);
      for (let j = 0; j < part.length; j++) {
        writeFeatures(table, history, factors, part[j]!, Number.NaN, rows, j * width);
      }
      scales.features.apply(rows);
      out.set(agent.evaluate(agent.observation, rows), from);
    }
  }

  /** The ranker as a file: the agent without its replay, the log, and the data of the features. */
  save(): Uint8Array {
    const { agent, train, traits, factors, scales, options } = this.parts;
    const columns: [string, ArrayBufferView][] = [
      ["user", train.user],
      ["item", train.item],
      ["value", train.value],
      ["time", train.time],
      ["year", Float64Array.from(traits, ({ year }) => year)],
      ["genres", Int32Array.from(traits, ({ genres }) => genres)],
      ["state_mean", scales.state.mean],
      ["state_inverse", scales.state.inverse],
      ["feature_mean", scales.features.mean],
      ["feature_inverse", scales.features.inverse],
    ];
    if (factors) columns.push(["user_vectors", factors.userVectors], ["item_vectors", factors.itemVectors]);
    const tensors = new Map<string, Uint8Array>([["agent", agent.save({ replay: false })]]);
    for (const [name, { buffer, byteOffset, byteLength }] of columns) {
      tensors.set(name, new Uint8Array(buffer, byteOffset, byteLength));
    }
    const sizes = { users: train.users, items: train.items, factors: factors?.factors ?? 0 };
    const { features, window, decay, folds, seed } = options;
    const kept = JSON.stringify({ features, window, decay, folds, seed });
    return packSnapshot(KIND, { sizes: JSON.stringify(sizes), options: kept }, tensors);
  }

  /**
   * The ranker that `save` wrote; it ranks the same.
   * @throws SnapshotError for a file that is damaged, foreign, newer, or of another shape.
   */
  static load(file: FileBytes): DqnRanker {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    const column = (name: string): ArrayBuffer => {
      const bytes = tensors.get(name);
      if (!bytes) throw new SnapshotError(`the file must hold the tensor "${name}"`);
      return bytes.slice().buffer;
    };
    try {
      const sizes = JSON.parse(metadata["sizes"] ?? "") as Sizes;
      requireShape(SIZES, sizes, "sizes");
      const { users, items, factors } = sizes;
      const train = {
        users,
        items,
        user: new Int32Array(column("user")),
        item: new Int32Array(column("item")),
        value: new Float32Array(column("value")),
        time: new Float64Array(column("time")),
      };
      const genres = new Int32Array(column("genres"));
      const traits = Array.from(new Float64Array(column("year")), (year, i) => ({ year, genres: genres[i]! }));
      checkLog(train, traits.length);
      const options = checked<DqnRankerOptions>(JSON.parse(metadata["options"] ?? ""), RULES, DEFAULTS);
      const { features, ...others } = options as Required<DqnRankerOptions>;
      const vectors = (name: string, rows: number) => {
        const floats = new Float32Array(column(name));
        requireFloats(floats, rows * factors, name);
        return floats;
      };
      const scaler = (name: string, width: number) => {
        const read = (part: string) => {
          const floats = new Float64Array(column(`${name}_${part}`));
          requireShape(numbers(width), [...floats], `${name}_${part}`);
          return floats;
        };
        return new Scaler(read("mean"), read("inverse"));
      };
      const widths = { state: stateNames(features).length, features: featureNames(features).length };
      const scales = { state: scaler("state", widths.state), features: scaler("feature", widths.features) };
      return new DqnRanker({
        agent: agentOf(new Uint8Array(column("agent")), widths),
        train,
        traits,
        table: new ItemTable(train, traits, { features, ...others }),
        factors: features.includes("factors")
          ? new FactorRanker(factors, vectors("user_vectors", users), vectors("item_vectors", items))
          : undefined,
        options: { features, ...others },
        scales,
      });
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      const what = (error as Error).message;
      throw new SnapshotError(`the file does not hold a ranker of this version: ${what}`, { cause: error });
    }
  }

  /** Frees the agent's memory. */
  dispose(): void {
    this.agent.dispose();
  }
}
