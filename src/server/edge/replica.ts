import type { Receipt } from "../../protocol/index.js";
import { Recommender } from "../../recommender/index.js";
import { Ranker } from "../rank/index.js";
import { edgeChunks, openEdgeFile, whole } from "./log/file.js";
import type { EdgeRecord } from "./log/records.js";
import { Trials } from "./trials.js";

/** All that the records of a log make: of a learner, or of who serves, which learns nothing itself. */
export interface Replica {
  readonly recommender: Recommender;
  readonly ranker: Ranker;
  readonly trials: Trials;
}

/** The replica of a server's file, or of a recommender's. @throws SnapshotError. */
export function openReplica(
  file: Uint8Array,
  loadAgent: NonNullable<Parameters<typeof Recommender.load>[1]>["loadAgent"],
  isServing: boolean,
): Replica {
  const { recommender, rank, trials } = openEdgeFile(file);
  return {
    recommender: Recommender.load(recommender, { ...(loadAgent && { loadAgent }) }),
    ranker: rank === undefined ? new Ranker({}, isServing) : Ranker.load(rank, isServing),
    trials: trials === undefined ? new Trials() : Trials.load(trials),
  };
}

/** The server's file of a replica, in chunks. */
export function replicaChunks({ recommender, ranker, trials }: Replica): Generator<Uint8Array, void> {
  return edgeChunks(ranker.save(), trials.save(), recommender.saveChunks());
}

export function replicaFile(replica: Replica): Uint8Array<ArrayBuffer> {
  return whole(replicaChunks(replica));
}

/** Tells a replica a record. Returns what became of an event. */
export function applyRecord({ recommender, ranker, trials }: Replica, record: EdgeRecord): Receipt | undefined {
  if (record.type === "event") {
    const receipt = recommender.feedback(record.event, record.now);
    if (receipt === "taken") trials.feedback(record.event);
    return receipt;
  }
  if (record.type === "decision") {
    recommender.recordDecision(record.decision, 1, record.rows);
    trials.decision(record.decision);
  } else if (record.type === "forget") recommender.forget(record.user);
  else if (record.type === "rank") ranker.take(record.record);
  else if (record.type === "trial") trials.set(record.options, record.now);
  return undefined;
}
