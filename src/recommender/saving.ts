/** Reading a recommender's file, as a whole or while it comes. */
import {
  BytesReader,
  type FileBytes,
  type FileChunks,
  type PartReader,
  readSnapshotStream,
  SnapshotError,
  unpackSnapshot,
} from "../engine/index.js";

/** The parts that stand before all others: what to make, and its agent. */
const FIRST = ["json", "agent"];

/** What the other parts of a file are read into. */
export interface Opened<T> {
  /** By name, in the order of the file: what reads a part of so many bytes, once those before are read. */
  readonly readers: ReadonlyMap<string, (bytes: number) => PartReader>;
  /** All parts are read. */
  finish(): T;
}

/** How a file becomes a T with an agent A. */
export interface Loader<A, T> {
  readonly kind: string;
  /** @throws SnapshotError for a file of another version. */
  check(metadata: Readonly<Record<string, string>>): void;
  /** Reads the agent's part. */
  agent(bytes: Uint8Array): A;
  /** The same, while it comes. Undefined: it is read as a whole. */
  agentOf: ((bytes: AsyncIterable<Uint8Array>) => Promise<A>) | undefined;
  open(json: Uint8Array, agent: A): Opened<T>;
}

interface Disposable {
  dispose(): void;
}

/** Loads a file as a whole. @throws SnapshotError. */
export function loadWhole<A extends Disposable, T>(file: FileBytes, loader: Loader<A, T>): T {
  const { metadata, tensors } = unpackSnapshot(loader.kind, file);
  loader.check(metadata);
  const names = [...tensors.keys()];
  const part = (name: string) => tensors.get(name) ?? missing(name);
  const agent = reading(() => loader.agent(part("agent")));
  return kept(agent, () => {
    const { readers, finish } = loader.open(part("json"), agent);
    for (const [name, readerOf] of readers) {
      const bytes = part(name);
      const reader = readerOf(bytes.byteLength);
      reader.write(bytes);
      reader.end();
    }
    requireNames(names, readers);
    return finish();
  });
}

/** Loads a file while it comes: each part is read, and let go of, before the next one. */
export async function loadStream<A extends Disposable, T>(chunks: FileChunks, loader: Loader<A, T>): Promise<T> {
  let agent: A | undefined;
  let opened: Opened<T> | undefined;
  const json = new BytesReader();
  try {
    let names: string[] = [];
    await readSnapshotStream(loader.kind, chunks, (metadata, sizes) => {
      loader.check(metadata);
      names = [...sizes.keys()];
      for (const [i, name] of FIRST.entries()) if (names[i] !== name) missing(name);
      return async (name, bytes) => {
        if (name === "json") return through(json, bytes);
        if (name === "agent") {
          agent = await agentFrom(bytes, loader);
          opened = reading(() => loader.open(json.take(), agent!));
          return requireNames(names, opened.readers);
        }
        return through(
          reading(() => opened!.readers.get(name)!(sizes.get(name)!)),
          bytes,
        );
      };
    });
    return reading(() => opened!.finish());
  } catch (error) {
    agent?.dispose();
    throw error;
  }
}

async function agentFrom<A, T>(bytes: AsyncIterable<Uint8Array>, loader: Loader<A, T>): Promise<A> {
  if (loader.agentOf) return loader.agentOf(bytes);
  const whole = new BytesReader();
  await through(whole, bytes);
  return reading(() => loader.agent(whole.take()));
}

async function through(reader: PartReader, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of bytes) reading(() => reader.write(piece));
  reading(() => reader.end());
}

/** Runs something that needs an agent, which is disposed if it throws. */
function kept<A extends Disposable, T>(agent: A, run: () => T): T {
  try {
    return reading(run);
  } catch (error) {
    agent.dispose();
    throw error;
  }
}

/** Reads a part. @throws SnapshotError with the message of what it throws, which names the fault. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause;
    throw new SnapshotError(`the file holds no valid recommender: ${(cause as Error).message}`, { cause });
  }
}

function missing(name: string): never {
  throw new SnapshotError(`the file must hold "${name}", in its place`);
}

/** @throws SnapshotError for other parts, or another order. */
function requireNames(names: readonly string[], readers: Opened<unknown>["readers"]): void {
  const expected = [...FIRST, ...readers.keys()];
  for (const [i, name] of expected.entries()) if (names[i] !== name) missing(name);
  if (names.length > expected.length) {
    throw new SnapshotError(
      `the file holds ${JSON.stringify(names[expected.length])}, which is no part of a recommender`,
    );
  }
}
