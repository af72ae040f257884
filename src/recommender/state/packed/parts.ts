import { type Part, type PartReader, SnapshotError } from "../../../engine/index.js";
import { ByteReader, ByteWriter } from "./bytes.js";

/** A chunk is given out when it is at least this long: it takes a millisecond or two to write. */
const CHUNK = 65_536;
/** Longest frame: a record of one user, streamer or table. */
const FRAME_MAX = 1 << 24;
/** Pieces of a long frame, so that no chunk is longer than a mebibyte. */
const PIECE = 1 << 20;

/** Frames in order: views that hold until the next one. */
export type Frames = () => Iterable<Uint8Array>;

/** A part of frames, each with its length before it. `frames` must give the same ones each time. */
export function framedPart(name: string, frames: Frames, release: () => void = () => {}): Part {
  let isReleased = false;
  return {
    name,
    chunks: () => chunked(frames()),
    release() {
      if (isReleased) return;
      isReleased = true;
      release();
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
