import { DQN } from "../../engine/index.js";
import type { Figure } from "../../statistics/index.js";
import type { Checkpoints, Shelf } from "../../storage/index.js";
import { isKept, lastBefore } from "../rank/index.js";
import { fileOfModel } from "./agent.js";
import { Learner, type ModelOptions } from "./learner.js";
import type { KeptModels, Learned, LearnerPort } from "./port.js";
import { openReplica, replicaChunks, replicaFile } from "./replica.js";
import { SHADOW } from "./start.js";

/** How a learner works beside a server. */
export interface LocalLearnerOptions extends Partial<ModelOptions> {
  /** Where it saves itself. Default: nowhere. */
  checkpoints?: Checkpoints;
  /** Where it keeps its models, those it begins with among them. Default: nowhere. */
  shelf?: Shelf;
  /** Where it keeps those of ranking. Default: nowhere. */
  rankShelf?: Shelf;
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
  readonly #rankShelf: Shelf | undefined;
  readonly #checkpointRecords: number;
  readonly #pause: (() => Promise<void>) | undefined;
  #saved: number;

  /**
   * @param file A file of a server, or of a recommender.
   * @param sequence The sequence number of the first record that is not in the file.
   * @throws SnapshotError; TypeError, RangeError for wrong options.
   */
  constructor(file: Uint8Array, sequence: number, options: LocalLearnerOptions = {}) {
    const { checkpoints, shelf, rankShelf, checkpointRecords = 100_000, pause, ...models } = options;
    let agent: DQN | undefined;
    const loadAgent = (bytes: Uint8Array) => {
      agent = DQN.load(bytes);
      return agent;
    };
    const last = (from: Shelf | undefined) => Array.from(from?.items() ?? [], ({ number }) => number).at(-1);
    const replica = openReplica(file, loadAgent, false);
    const [newest = 0, ranked] = [last(shelf), last(rankShelf)];
    const learned = replica.ranker.model();
    // Of a file that came without its models.
    if (learned !== undefined && ranked === undefined)
      rankShelf?.put(1, fileOfModel({ version: 1, loss: Number.NaN, ...learned }));
    const from = ranked === undefined ? Number(learned !== undefined) : lastBefore(ranked);
    this.#learner = new Learner(replica, sequence, models, [newest, from]);
    this.#shelf = shelf;
    this.#rankShelf = rankShelf;
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
    const rank = this.#learner.rankModel();
    if (rank !== undefined && isKept(rank.version)) this.#rankShelf?.put(rank.version, fileOfModel(rank));
    const { next, heldBack, rankHeldBack } = this.#learner;
    const told = { next, model, rank, heldBack, rankHeldBack };
    // What nobody saves, nobody reads again: without checkpoints the log need not grow.
    if (this.#checkpoints === undefined) return { ...told, trimTo: next };
    const isDue = next - this.#saved >= this.#checkpointRecords;
    const { trimTo } = isDue ? await this.save() : {};
    return { ...told, trimTo, isSaved: isDue };
  }

  async save(isAlone = false): Promise<Learned> {
    const { next, heldBack, rankHeldBack } = this.#learner;
    if (this.#checkpoints === undefined) return { next, heldBack, rankHeldBack };
    this.#saved = next;
    await this.#checkpoints.write(next, this.chunks());
    if (isAlone) this.#checkpoints.keepNewest();
    return { next, heldBack, rankHeldBack, isSaved: true, trimTo: isAlone ? next : this.#checkpoints.trimTo };
  }

  async keep({ versions, pinned, shadow, rank }: KeptModels): Promise<void> {
    if (this.#shelf !== undefined) {
      this.#shelf.mark = pinned;
      this.#shelf.setNote(SHADOW, typeof shadow === "object" ? String(shadow.model) : (shadow ?? "none"));
      this.#shelf.keep(new Set(versions));
    }
    if (this.#rankShelf !== undefined && rank !== undefined) {
      this.#rankShelf.mark = rank.pinned;
      this.#rankShelf.keep(new Set(rank.versions));
    }
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
