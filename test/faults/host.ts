import { createHash } from "node:crypto";
import type { LiveEvent } from "../../src/protocol/index.js";
import type { RecommenderOptions } from "../../src/recommender/index.js";
import { Edge } from "../../src/server/edge/edge.js";
import { LocalLearner } from "../../src/server/edge/local.js";
import { decodeRecord } from "../../src/server/edge/log/records.js";
import { applyRecord, openReplica, replicaChunks } from "../../src/server/edge/replica.js";
import { beginning } from "../../src/server/edge/start.js";
import { Checkpoints, type Disk, type EventLog, MemoryStore, openLog } from "../../src/storage/index.js";
import { SimulatedDisk } from "../support/disk.js";

/** Of a recommender that learns within a few requests; with names of decisions that are the same at each run. */
export const OPTIONS: Partial<RecommenderOptions> = {
  seed: 3,
  instance: "",
  warmupUpdates: 20,
  learner: { learningStarts: 20, capacity: 300, batchSize: 8 },
};

/** SHA-256 of chunks. */
export function hashOf(chunks: Iterable<Uint8Array>): string {
  const digest = createHash("sha256");
  for (const chunk of chunks) digest.update(chunk);
  return digest.digest("hex");
}

/** A server in this process: its clock is a number. */
export class Host {
  time = 1e12;
  readonly store: MemoryStore;
  readonly errors: unknown[] = [];
  edge!: Edge;
  learner!: LocalLearner;

  constructor(store = new MemoryStore()) {
    this.store = store;
  }

  /** Starts it on a log, or that of its store, and with checkpoints where it has some. */
  async start(log?: EventLog, disk: Disk = new SimulatedDisk(), checkpointRecords = 1e9): Promise<this> {
    const checkpoints = new Checkpoints(disk);
    const { file, sequence } = beginning(checkpoints, OPTIONS);
    const pause = () => new Promise<void>((done) => setImmediate(done));
    this.learner = new LocalLearner(file, sequence, {
      // Models that go live between two requests would make two runs differ.
      ...{ modelUpdates: 1e9, pause, checkpointRecords, checkpoints },
    });
    const parts = { log: log ?? openLog(this.store), learner: this.learner, file, sequence, now: () => this.time };
    this.edge = await Edge.open({ ...parts, onError: (error) => this.errors.push(error) });
    return this;
  }

  /** What the learner is, once it has learned from all that is logged. */
  async hash(): Promise<string> {
    await this.edge.settled();
    return hashOf(this.learner.chunks());
  }

  /** Puts streams on air. */
  async air(streams = 6): Promise<void> {
    const events = Array.from({ length: streams }, (_, i): LiveEvent => {
      return { kind: "on_air", time: this.time, stream: `s${i}`, streamer: `r${i}`, category: `c${i % 3}` };
    });
    await this.edge.feed(events);
  }
}

/** What a learner is that is told a whole log at once. */
export async function learned(log: EventLog): Promise<string> {
  const replica = openReplica(beginning(undefined, OPTIONS).file, undefined, false);
  for await (const { bytes } of log.read(0)) applyRecord(replica, decodeRecord(bytes));
  const hash = hashOf(replicaChunks(replica));
  replica.recommender.dispose();
  replica.ranker.dispose();
  return hash;
}
