import { ByteReader, ByteWriter } from "../../src/recommender/state/packed/bytes.js";
import { framedPart } from "../../src/recommender/state/packed/parts.js";
import type { CollaborativeVectors } from "../../src/recommender/state/vectors.js";
import { bytesOf, readAll } from "./parts.js";

const TABLES = ["users", "traits", "streamers", "categories", "tags"] as const;

/** What a save of vectors holds, as plain values; `rows`: first the part that all users share. */
export interface PlainVectors extends Record<(typeof TABLES)[number], string[]> {
  rest: string;
  offers: [string, string, string[]][];
  rows: number[];
}

export function savedVectors(vectors: CollaborativeVectors): PlainVectors {
  const bytes = bytesOf(vectors.part("vectors"));
  const all = new ByteReader(bytes);
  const saved: PlainVectors = {
    ...{ users: [], traits: [], streamers: [], categories: [], tags: [] },
    ...{ rest: "", offers: [], rows: [] },
  };
  while (all.at < bytes.length) {
    const length = all.u32();
    const frame = new ByteReader(bytes.subarray(all.at, all.at + length));
    all.skip(length);
    if (saved.rest === "") {
      saved.rest = Buffer.from(frame.bytes).toString();
      saved.offers = JSON.parse(saved.rest).offers;
      continue;
    }
    const table = frame.u8();
    const name = frame.text();
    if (table > 0) saved[TABLES[table - 1]!].push(name);
    for (let f = 0; f < vectors.size; f++) saved.rows.push(frame.f32());
  }
  return saved;
}

export function loadVectors(vectors: CollaborativeVectors, saved: PlainVectors): void {
  const names: [number, string][] = [[0, ""]];
  TABLES.forEach((table, i) => {
    for (const name of saved[table]) names.push([i + 1, name]);
  });
  const frames: Uint8Array[] = [new TextEncoder().encode(saved.rest)];
  names.forEach(([table, name], row) => {
    const out = new ByteWriter();
    out.u8(table);
    out.text(name);
    for (const x of saved.rows.slice(row * vectors.size, (row + 1) * vectors.size)) out.f32(x);
    frames.push(out.slice());
  });
  readAll(vectors.reader("vectors"), bytesOf(framedPart("vectors", () => frames)));
}
