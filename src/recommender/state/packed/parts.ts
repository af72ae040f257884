import { mustBe, requireShape, type Shape } from "../../../check/index.js";
import type { Album } from "../../../collections/index.js";
import { LinesReader, linesPart, type Part, type PartReader, SnapshotError } from "../../../engine/index.js";
import { ByteReader, ByteWriter } from "./bytes.js";

/** A chunk is given out when it is at least this long: .1 ms of work, some 3 where the code has never run before. */
const CHUNK = 16_384;
/** Longest frame: a record of one user, streamer or table. */
const FRAME_MAX = 1 << 24;
/** Pieces of a long frame, so that no chunk is longer than a mebibyte. */
const PIECE = 1 << 20;

/** Frames in order: views that hold until the next one. */
export type Frames = () => Iterable<Uint8Array>;

/** What a part holds until it is released. */
export interface Held {
  /** As `Part.drain`. */
  drain?(): Iterable<void>;
  release(): void;
}

/** A part of frames, each with its length before it. `frames` must give the same ones each time. */
export function framedPart(name: string, frames: Frames, ...held: readonly Held[]): Part {
  let isReleased = false;
  return {
    name,
    chunks: () => chunked(frames()),
    *drain() {
      for (const each of held) yield* each.drain?.() ?? [];
    },
    release() {
      if (isReleased) return;
      isReleased = true;
      for (const each of held) each.release();
    },
  };
}

function* chunked(frames: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  const out = new ByteWriter(CHUNK + 8192);
  for (const frame of frames) {
    out.u32(frame.length);
    for (let at = 0; at < frame.length; at += PIECE) {
      if (out.length + Math.min(frame.length, PIECE) > PIECE) {
        yield out.slice();
        out.clear();
      }
      out.raw(frame.subarray(at, at + PIECE));
    }
    if (out.length < CHUNK) continue;
    yield out.slice();
    out.clear();
  }
  if (out.length > 0) yield out.slice();
}

/** Reads frames: `take` gets each, as bytes that are its own until the next one, then `end` is called. */
export function framedReader(name: string, take: (frame: ByteReader) => void, end: () => void = () => {}): PartReader {
  const held = new ByteWriter(CHUNK);
  return {
    write(chunk) {
      held.raw(chunk);
      let at = 0;
      while (held.length - at >= 4) {
        const length = new DataView(held.bytes.buffer, at).getUint32(0, true);
        if (length > FRAME_MAX)
          throw new SnapshotError(`"${name}" has a record of ${length} bytes, above ${FRAME_MAX}`);
        if (held.length - at - 4 < length) break;
        const frame = new ByteReader(held.bytes.subarray(at + 4, at + 4 + length), name);
        take(frame);
        frame.done();
        at += 4 + length;
      }
      if (at === 0) return;
      held.bytes.copyWithin(0, at, held.length);
      held.length -= at;
    },
    end() {
      if (held.length > 0) throw new SnapshotError(`"${name}" is cut off`);
      end();
    },
  };
}

/** A part of the entries of an album, a line each: a picture of this moment. */
export function entriesPart<K, V>(name: string, album: Album<K, V>): Part {
  const picture = album.picture();
  return linesPart(
    name,
    () => picture.entries(),
    () => picture.close(),
  );
}

/** Reads such a part into an empty album. @param entry - The shape of an entry, of key and value. */
export function entriesReader<K, V>(name: string, album: Album<K, V>, entry: Shape): PartReader {
  return new LinesReader(name, (record) => {
    const path = `${name}.${album.size}`;
    requireShape(entry, record, path);
    const [key, value] = record as [K, V];
    requireNew(album, key, path);
    album.set(key, value);
  });
}

/** @throws RangeError for a key that an album has, or has no room for. */
export function requireNew<K>(album: { has(key: K): boolean; size: number; max: number }, key: K, path: string): void {
  if (album.has(key) || album.size >= album.max) throw mustBe(path, `a new one of at most ${album.max}`, key);
}

/** The words of the rest of a frame, entries of a window: three words each. */
export function wordsIn(frame: ByteReader): Uint32Array {
  const rest = frame.end - frame.at;
  if (rest % 12 !== 0) frame.fail("entries of three words");
  return new Uint32Array(frame.bytes.slice(frame.skip(rest), frame.end).buffer);
}

/** The plain values of a whole frame. @throws SnapshotError for text that is no JSON object. */
export function jsonOf<T extends object>(frame: ByteReader): T {
  const bytes = frame.bytes.subarray(frame.skip(frame.end - frame.at), frame.end);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return frame.fail("JSON");
  }
  if (typeof value !== "object" || value === null) frame.fail("an object");
  return value as T;
}

/** The error for a field that a file cannot have so. */
export function fault(part: string, field: string): SnapshotError {
  return new SnapshotError(`"${part}.${field}" is not as a save writes it`);
}
