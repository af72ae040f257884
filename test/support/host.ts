import { createHash } from "node:crypto";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import type { RecommenderOptions } from "../../src/recommender/index.js";
import { Edge } from "../../src/server/edge/edge.js";
import { LocalLearner, type LocalLearnerOptions } from "../../src/server/edge/local.js";
import { beginning } from "../../src/server/edge/start.js";
import type { RankOptions } from "../../src/server/rank/index.js";
import { Checkpoints, MemoryStore, openLog, Shelf } from "../../src/storage/index.js";
import { SimulatedDisk } from "./disk.js";

export const MINUTE = 60_000;
export const OPTIONS: Partial<RecommenderOptions> = {
  seed: 3,
  instance: "",
  warmupUpdates: 20,
  learner: { learningStarts: 20, capacity: 300, batchSize: 8 },
};

/** A host: its disk, its clock, and what is open on it. */
export class Host {
  time = 1e9;
  disk = new SimulatedDisk();
  models = new SimulatedDisk();
  rankModels = new SimulatedDisk();
  rank: Partial<RankOptions> = {};
  store = new MemoryStore();
  edge!: Edge;
  learner!: LocalLearner;
  readonly errors: unknown[] = [];

  async start(models: LocalLearnerOptions = { modelUpdates: 20 }, store = this.store): Promise<Edge> {
    const checkpoints = new Checkpoints(this.disk);
    const shelf = new Shelf(this.models);
    const rankShelf = new Shelf(this.rankModels);
    const begin = beginning(checkpoints, OPTIONS, this.rank, { shelf, rankShelf });
    const { file, sequence } = begin;
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    this.learner = new LocalLearner(file, sequence, { checkpoints, shelf, rankShelf, pause, ...models });
    const log = openLog(store);
    const parts = { log, learner: this.learner, ...begin, now: () => this.time };
    this.edge = await Edge.open({ ...parts, onError: (error) => this.errors.push(error) });
    return this.edge;
  }

  /** The process is gone; what is durable stays. */
  kill(): void {
    this.store = new MemoryStore(this.store.blocks);
  }

  /** SHA-256 of all that the learner is. */
  async hash(): Promise<string> {
    await this.edge.save();
    const checkpoints = new Checkpoints(this.disk);
    const digest = createHash("sha256");
    for (const piece of checkpoints.read(checkpoints.newest()!)) digest.update(piece);
    return digest.digest("hex");
  }

  async air(streams = 8): Promise<void> {
    const events = Array.from({ length: streams }, (_, i): LiveEvent => {
      return { kind: "on_air", time: this.time, stream: `s${i}`, streamer: `r${i}`, category: `c${i % 3}` };
    });
    await this.edge.feed(events);
  }

  /** Requests and their feedback; the stream s1 is watched long. */
  async serve(requests: number, seed = 1): Promise<void> {
    const random = Random.named(seed, "viewers");
    for (let i = 0; i < requests; i++) {
      this.time += MINUTE;
      const user = `u${random.below(20)}`;
      const { id: decision, slate } = this.edge.recommend({ user, k: 3 });
      const stream = slate[random.below(slate.length)]!;
      const watchMs = stream === "s1" ? 20 * MINUTE : 5000;
      const about = { user, stream, decision };
      const click: LiveEvent = { kind: "click", time: this.time, ...about };
      this.time += watchMs;
      await this.edge.feed([click, { kind: "watch", time: this.time, watchMs, ...about }]);
    }
  }
}
