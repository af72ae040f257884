import { Worker } from "node:worker_threads";
import type { RecommenderOptions } from "../../recommender/index.js";
import type { Beginning, KeptModels, Learned, LearnerPort, ModelOptions, RankOptions } from "../../server/index.js";
import type { Figure } from "../../statistics/index.js";
import { joined } from "../../storage/index.js";

/** What the learner's thread is started with. */
export interface LearnerStart {
  /** Where its checkpoints are; undefined: nowhere. */
  folder: string | undefined;
  options: Partial<RecommenderOptions>;
  /** Options of a new ranker. Default: those of `RankOptions`. */
  rank?: Partial<RankOptions>;
  checkpointRecords: number;
  models: Partial<ModelOptions>;
}

/** What the learner's thread is asked for. */
export type LearnerCall =
  /** Records joined, in one piece. */
  | { id: number; call: "take"; first: number; records: Uint8Array }
  | { id: number; call: "save"; isAlone: boolean }
  | { id: number; call: "keep"; models: KeptModels }
  | { id: number; call: "figures" }
  | { id: number; call: "file" }
  | { id: number; call: "close" };

/** What it answers; the first answer, to nothing, is what it begins with. */
export type LearnerAnswer =
  | { id: number; value: Beginning | Learned | Uint8Array | readonly Figure[] | undefined }
  | { id: number; error: string };

/**
 * Room for the newest objects of the learner, MB. With the little that V8 gives by default it collects them often, and on the cores
 * of the threads that answer.
 */
const YOUNG_MB = 64;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A learner on a thread of its own. */
export class LearnerThread implements LearnerPort {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #ended: Error | undefined;

  private constructor(start: LearnerStart, file: URL) {
    this.#worker = new Worker(file, { workerData: start, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    this.#worker.on("message", (answer: LearnerAnswer) => this.#take(answer));
    this.#worker.on("error", (cause) => this.#end(new Error(`the learner ended: ${cause.message}`, { cause })));
    this.#worker.on("exit", () => this.#end(new Error("the learner ended")));
  }

  /** Starts it, by default from beside this file; resolves with what serving begins with. @throws Error of the thread. */
  static async start(
    start: LearnerStart,
    file = new URL("./learner.js", import.meta.url),
  ): Promise<{ learner: LearnerThread; beginning: Beginning }> {
    const learner = new LearnerThread(start, file);
    const beginning = await new Promise<unknown>((resolve, reject) => learner.#waiting.set(0, { resolve, reject }));
    return { learner, beginning: beginning as Beginning };
  }

  async take(first: number, records: readonly Uint8Array[]): Promise<Learned> {
    const bytes = joined(records);
    return (await this.#call({ call: "take", first, records: bytes }, bytes.buffer)) as Learned;
  }

  async save(isAlone = false): Promise<Learned> {
    return (await this.#call({ call: "save", isAlone })) as Learned;
  }

  async keep(models: KeptModels): Promise<void> {
    await this.#call({ call: "keep", models });
  }

  async figures(): Promise<Figure[]> {
    return (await this.#call({ call: "figures" })) as Figure[];
  }

  async file(): Promise<Uint8Array> {
    return (await this.#call({ call: "file" })) as Uint8Array;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#call({ call: "close" });
    await this.#worker.terminate();
  }

  #call(call: { call: LearnerCall["call"] } & Record<string, unknown>, ...transfer: ArrayBuffer[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...call }, transfer);
    });
  }

  #take(answer: LearnerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
