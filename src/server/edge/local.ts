import { DQN } from "../../engine/index.js";
import type { Figure } from "../../statistics/index.js";
import type { Checkpoints, Shelf } from "../../storage/index.js";
import { fileOfModel } from "./agent.js";
import { Learner, type ModelOptions } from "./learner.js";
import type { KeptModels, Learned, LearnerPort } from "./port.js";
import { openReplica, replicaChunks, replicaFile } from "./replica.js";

/** How a learner works beside a server. */
export interface LocalLearnerOptions extends Partial<ModelOptions> {
  /** Where it saves itself. Default: nowhere. */
  checkpoints?: Checkpoints;
  /** Where it keeps its models, those it begins with among them. Default: nowhere. */
  shelf?: Shelf;
  /** Records between two checkpoints. Default 100 000. */
  checkpointRecords?: number;
  /** Resolves when other work of this thread had its turn. Default: at once, for a thread of its own. */
  pause?: () => Promise<void>;
}

/** Records between two pauses. */
const TURN = 16;

/** A learner on this thread. */
export class LocalLearner implements LearnerPort {
  readonly #learner: Learner;
  readonly #agent: DQN;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #shelf: Shelf | undefined;
  readonly #checkpointRecords: number;
  readonly #pause: (() => Promise<void>) | undefined;
  #saved: number;

  /**
   * @param file A file of a server, or of a recommender.
   * @param sequence The sequence number of the first record that is not in the file.
   * @throws SnapshotError; TypeError, RangeError for wrong options.
   */
  constructor(file: Uint8Array, sequence: number, options: LocalLearnerOptions = {}) {
    const { checkpoints, shelf, checkpointRecords = 100_000, pause, ...models } = options;
    let agent: DQN | undefined;
    const loadAgent = (bytes: Uint8Array) => {
      agent = DQN.load(bytes);
      return agent;
    };
    const kept = Array.from(shelf?.items() ?? [], ({ number }) => number);
    this.#learner = new Learner(openReplica(file, loadAgent, false), sequence, models, kept.at(-1));
    this.#shelf = shelf;
    this.#agent = agent!;
    this.#checkpoints = checkpoints;
    this.#checkpointRecords = checkpointRecords;
    this.#pause = pause;
    this.#saved = sequence;
  }

  async take(first: number, records: readonly Uint8Array[]): Promise<Learned> {
    if (first !== this.#learner.next) throw new Error(`the next record must be ${this.#learner.next}, got ${first}`);
    for (const [i, record] of records.entries()) {
      this.#learner.take(record);
      if (i % TURN === TURN - 1) await this.#pause?.();
    }
    const model = this.#learner.model(() => this.#agent.copyWeights());
    if (model !== undefined) this.#shelf?.put(model.version, fileOfModel(model));
    const { next, heldBack } = this.#learner;
    const told = { next, model, rank: this.#learner.rankModel(), heldBack };
    // What nobody saves, nobody reads again: without checkpoints the log need not grow.
    if (this.#checkpoints === undefined) return { ...told, trimTo: next };
    const isDue = next - this.#saved >= this.#checkpointRecords;
    const { trimTo } = isDue ? await this.save() : {};
    return { ...told, trimTo, isSaved: isDue };
  }

  async save(isAlone = false): Promise<Learned> {
    const { next, heldBack } = this.#learner;
    if (this.#checkpoints === undefined) return { next, heldBack };
    this.#saved = next;
    await this.#checkpoints.write(next, this.chunks());
    if (isAlone) this.#checkpoints.keepNewest();
    return { next, heldBack, isSaved: true, trimTo: isAlone ? next : this.#checkpoints.trimTo };
  }

  async keep({ versions, pinned }: KeptModels): Promise<void> {
    if (this.#shelf === undefined) return;
    this.#shelf.mark = pinned;
    this.#shelf.keep(new Set(versions));
  }

  async figures(): Promise<Figure[]> {
    return this.#learner.figures();
  }

  /** A file of all that it knows, in chunks. */
  chunks(): Iterable<Uint8Array> {
    return replicaChunks(this.#learner.replica);
  }

  async file(): Promise<Uint8Array> {
    return replicaFile(this.#learner.replica);
  }

  async close(): Promise<void> {
    this.#learner.recommender.dispose();
    this.#learner.replica.ranker.dispose();
  }
}
