import { any, boolean, fields, finite, list, nonNegativeInteger, requireShape, type Shape } from "../../check/index.js";
import { DQN, SnapshotError } from "../../engine/index.js";
import { ACTION, ACTIONS_MAX, CONTEXT, padded, type SparseRow } from "./hashing.js";
import { Ledger, type Outcome, type RankChoice, type RankEvent } from "./ledger.js";
import { checkedRank, type RankOptions } from "./rankoptions.js";

/** What the log says of ranking, each at a time of the host. */
export type RankRecord =
  | { readonly kind: "rank"; readonly now: number; readonly choice: RankChoice }
  | { readonly kind: "activate"; readonly now: number; readonly id: string }
  | { readonly kind: "reward"; readonly now: number; readonly id: string; readonly value: number }
  | { readonly kind: "graduate"; readonly now: number };

/** The weights of a ranker, and the updates that made them. */
export interface RankWeights {
  readonly updates: number;
  readonly weights: Float32Array;
}

/** Counts of ranking. */
export interface RankCounts {
  /** Choices, rewards that came, and events that got the default. */
  choices: number;
  rewards: number;
  expired: number;
  rewardSum: number;
  /** Choices of an apprentice, and how many of them it would have made the same way. */
  compared: number;
  agreed: number;
}

interface Saved {
  options: RankOptions;
  isApprentice: boolean;
  counts: RankCounts;
  events: RankEvent[];
  hasAgent: boolean;
}

const SHAPE: Shape = fields<Saved>({
  options: any,
  isApprentice: boolean,
  counts: fields<RankCounts>({
    choices: nonNegativeInteger,
    rewards: nonNegativeInteger,
    expired: nonNegativeInteger,
    rewardSum: finite,
    compared: nonNegativeInteger,
    agreed: nonNegativeInteger,
  }),
  events: list(any),
  hasAgent: boolean,
});

/** Bytes before the JSON of a file: its length. */
const HEAD = 4;

/**
 * Ranks actions by the rewards of earlier ones: an agent of its own, whose actions are what the caller gives, and the events
 * that wait for their rewards. It is told records in their order, and the same records give the same bits.
 *
 * A learner's has a whole agent; that of who serves only its weights, and learns nothing.
 */
export class Ranker {
  readonly options: RankOptions;
  readonly ledger: Ledger;
  readonly counts: RankCounts = { choices: 0, rewards: 0, expired: 0, rewardSum: 0, compared: 0, agreed: 0 };
  isApprentice: boolean;
  readonly #isServing: boolean;
  /** Made when something is ranked, as most servers rank nothing. */
  #agent: DQN | undefined;
  #updates = 0;

  /** @throws TypeError, RangeError for wrong options. */
  constructor(options: Partial<RankOptions> = {}, isServing = false) {
    this.options = checkedRank(options);
    this.isApprentice = this.options.apprentice;
    this.ledger = new Ledger(this.options);
    this.#isServing = isServing;
  }

  /** Updates of the weights that it ranks by. */
  get updates(): number {
    return this.#updates;
  }

  /** What a record did: false where it fits no event that waits. */
  take(record: RankRecord): boolean {
    this.follow(record.now);
    if (record.kind === "rank") return this.#choose(record.choice, record.now);
    if (record.kind === "graduate") {
      this.isApprentice = false;
      return true;
    }
    if (record.kind === "activate") {
      this.ledger.activate(record.id);
      return true;
    }
    const outcome = this.ledger.reward(record.id, record.value);
    if (outcome === undefined) return false;
    this.counts.rewards++;
    this.counts.rewardSum += record.value;
    this.#learn([outcome]);
    return true;
  }

  /** The time is known: what waited too long gets the default reward. */
  follow(now: number): void {
    const ended = this.ledger.follow(now);
    this.counts.expired += ended.length;
    this.#learn(ended);
  }

  /** Values of actions in a context; undefined before anything was learned. */
  evaluate(context: SparseRow, actions: readonly SparseRow[]): Float32Array | undefined {
    if (this.#updates === 0) return undefined;
    return this.#made()
      .evaluate(padded([context], CONTEXT), padded(actions, ACTION))
      .slice(0, actions.length);
  }

  /** Mean of the latest losses; NaN before the first. */
  get loss(): number {
    return this.#agent?.stats().lossMean ?? Number.NaN;
  }

  /** The weights of now; undefined where nothing was learned. */
  model(): RankWeights | undefined {
    return this.#updates === 0 ? undefined : { updates: this.#updates, weights: this.#made().copyWeights() };
  }

  /**
   * Ranks by other weights from now on; by none where there are no updates.
   *
   * @throws RangeError for weights that do not fit or are not finite; nothing changes then.
   */
  swap({ weights, updates }: RankWeights): void {
    if (updates > 0) this.#made().restoreWeights(weights);
    this.#updates = updates;
  }

  save(): Uint8Array {
    const { options, isApprentice, counts } = this;
    const agent = this.#agent === undefined || this.#isServing ? undefined : this.#agent.save();
    const saved: Saved = {
      ...{ options, isApprentice, counts, events: [...this.ledger.events()], hasAgent: agent !== undefined },
    };
    const json = new TextEncoder().encode(JSON.stringify(saved));
    const bytes = new Uint8Array(HEAD + json.byteLength + (agent?.byteLength ?? 0));
    new DataView(bytes.buffer).setUint32(0, json.byteLength, true);
    bytes.set(json, HEAD);
    if (agent !== undefined) bytes.set(agent, HEAD + json.byteLength);
    return bytes;
  }

  /** @throws SnapshotError for a file that is damaged or foreign. */
  static load(file: Uint8Array, isServing = false): Ranker {
    let ranker: Ranker;
    let saved: Saved;
    const end = file.byteLength < HEAD ? 0 : HEAD + new DataView(file.buffer, file.byteOffset).getUint32(0, true);
    try {
      saved = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(HEAD, end))) as Saved;
      requireShape(SHAPE, saved, "rank");
      ranker = new Ranker(saved.options, isServing);
    } catch (cause) {
      throw new SnapshotError(`the file's ranking: ${(cause as Error).message}`);
    }
    ranker.isApprentice = saved.isApprentice;
    Object.assign(ranker.counts, saved.counts);
    for (const event of saved.events) ranker.ledger.restore(event);
    if (!saved.hasAgent) return ranker;
    const agent = DQN.load(file.slice(end));
    ranker.#updates = agent.updates;
    if (isServing) {
      ranker.#made().restoreWeights(agent.copyWeights());
      agent.dispose();
    } else ranker.#agent = agent;
    return ranker;
  }

  dispose(): void {
    this.#agent?.dispose();
  }

  #choose(choice: RankChoice, now: number): boolean {
    if (this.ledger.get(choice.id) !== undefined) return false;
    this.counts.choices++;
    if (choice.agrees !== undefined) {
      this.counts.compared++;
      this.counts.agreed += Number(choice.agrees);
    }
    const ended = this.ledger.add(choice, now);
    this.counts.expired += ended.length;
    this.#learn(ended);
    return true;
  }

  #learn(outcomes: readonly Outcome[]): void {
    if (this.#isServing || outcomes.length === 0) return;
    const agent = this.#made();
    for (const { rows, reward } of outcomes) {
      const observation = padded([rows.context], CONTEXT);
      const about = { observation, nextObservation: observation, terminated: true, nextCandidates: padded([], ACTION) };
      agent.observe({ ...about, candidate: padded([rows.action], ACTION), reward });
      // As in DQfD (Hester et al. 2018): what the first action was chosen before is worth less than it by a margin.
      const { other } = rows;
      if (other !== undefined) {
        agent.observe({ ...about, candidate: padded([other], ACTION), reward: reward - this.options.margin });
      }
      if (this.options.updatesPerReward > 0) agent.learn(this.options.updatesPerReward);
    }
    this.#updates = agent.updates;
  }

  #made(): DQN {
    const { seed, hidden, learningRate, capacity } = this.options;
    const batchSize = 32;
    this.#agent ??= new DQN({
      observation: 0,
      sparse: CONTEXT,
      candidates: { max: ACTIONS_MAX, features: 0, next: 1, sparse: ACTION },
      hidden,
      gamma: 0,
      learningRate,
      batchSize,
      capacity: this.#isServing ? batchSize : capacity,
      learningStarts: batchSize,
      normalization: "none",
      seed,
    });
    return this.#agent;
  }
}
