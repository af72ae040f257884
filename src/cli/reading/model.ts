import { createReadStream, openSync, readFileSync } from "node:fs";
import { fields, list, requireShape, text } from "../../check/index.js";
import { WordVectors } from "../../encoders/index.js";
import { packSnapshot, SnapshotError, unpackSnapshot } from "../../engine/index.js";
import type { MovieLens } from "../../logs/index.js";
import { DqnRanker } from "../../ranking/index.js";
import {
  columns,
  content,
  type FeatureGroup,
  type LoadOptions,
  moments,
  neighbours,
  pages,
  Recommender,
  social,
  taste,
  traits,
  vectors,
} from "../../recommender/index.js";
import { STANDARD } from "../writing/output.js";
import { naming, readFile, unreadable } from "./files.js";

const KIND = "model";

/** The model that `liveq train --movielens` writes: a ranker, with the names of its users and items. */
export interface Model {
  ranker: DqnRanker;
  /** Ids of the users, in the order of the ranker's. */
  users: string[];
  /** Titles of the items, in the order of the ranker's. */
  titles: string[];
}

/** The model as a file. */
export function packModel(ranker: DqnRanker, { users, items }: Pick<MovieLens, "users" | "items">): Uint8Array {
  const names = { users: users.map(({ id }) => String(id)), titles: items.map(({ title }) => title) };
  const text = new TextEncoder().encode(JSON.stringify(names));
  return packSnapshot(
    KIND,
    {},
    new Map([
      ["ranker", ranker.save()],
      ["names", text],
    ]),
  );
}

/** @throws Error that names the file and the fault. */
export function readModel(file: string): Model {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new Error(`"--model" must be a file that liveq train wrote: ${(cause as Error).message}`, { cause });
  }
  return naming(file, () => modelOf(bytes));
}

/** @throws SnapshotError for bytes of another kind, or damaged ones. */
export function modelOf(bytes: Uint8Array): Model {
  const { tensors } = unpackSnapshot(KIND, bytes);
  const [ranker, names] = [tensors.get("ranker"), tensors.get("names")];
  if (!ranker || !names) throw new SnapshotError("the ranker or the names are missing");
  try {
    const known = JSON.parse(new TextDecoder().decode(names)) as Omit<Model, "ranker">;
    requireShape(fields<Omit<Model, "ranker">>({ users: list(text), titles: list(text) }), known, "names");
    return { ranker: DqnRanker.load(ranker), ...known };
  } catch (cause) {
    throw cause instanceof SnapshotError ? cause : new SnapshotError((cause as Error).message, { cause });
  }
}

/** Groups of features that are off by default, or that a file may hold with options of its own. */
export function optionalGroups(): FeatureGroup[] {
  return [traits(), pages(), vectors(), neighbours()];
}

/** Bytes that are read at once. */
const READ = 1 << 18;

const NO_WORDS = new WordVectors({ size: 1, words: [], counts: [], rows: [] });
/** All groups of features that a file may use beside the default ones. */
const GROUPS = [...optionalGroups(), social(), moments(), content({ words: NO_WORDS }), taste(), columns({})];

/** Loads a recommender from the bytes of a file. */
export function recommenderOf(bytes: Uint8Array): Recommender {
  return Recommender.load(bytes, { features: GROUPS });
}

/**
 * Loads a recommender from a file, or (`-`) from stdin, as it is read, part by part: a file may be larger than memory takes
 * twice, or than one array can be.
 * @param options - As for `Recommender.loadChunks`.
 * @throws Error that names the file and the fault.
 */
export async function openRecommender(
  file: string,
  options: Pick<LoadOptions, "loadAgentChunks"> = {},
): Promise<Recommender> {
  try {
    const chunks =
      file === STANDARD ? [readFile(file)] : createReadStream("", { fd: openSync(file, "r"), highWaterMark: READ });
    return await Recommender.loadChunks(chunks, { features: GROUPS, ...options });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) throw unreadable(file, cause);
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}
