import { fields, group, or, requireShape } from "../../../check/index.js";
import {
  CONTENT_SIZE,
  type Content,
  Contents,
  MODALITIES,
  type SavedContents,
  type SavedWordVectors,
  type WordVectors,
} from "../../../encoders/index.js";
import { type Part, type PartReader, SnapshotError } from "../../../engine/index.js";
import { fade, log1p } from "../../../numeric/index.js";
import { type Id, MINUTE, WEEK, WRONG_CLOCK_MS } from "../../../protocol/index.js";
import {
  ByteReader,
  ByteWriter,
  type CatalogStream,
  type Fact,
  framedPart,
  framedReader,
  type Keeper,
  type NamedReader,
  PackedMap,
  type State,
  type UserProfile,
} from "../../state/index.js";
import type { FeatureContext, FeatureGroup, FeatureWriter, Moment } from "../group.js";
import { FADED } from "../scale.js";

export interface ContentOptions {
  /**
   * Word vectors of at most 32 numbers, as `WordVectorTrainer` and `liveq train --titles` make them: the meaning of a
   * title and tags, where the platform gives no embedding of the text. A platform should give embeddings of all texts
   * or of none: they cannot be compared with these vectors. A file keeps the vectors; `Recommender.load` needs
   * `content` with any word vectors to read them. Default: none.
   */
  words?: WordVectors;
}

/** No number of a stream's row is beyond: their squares add up to 1. */
const ROW_MAX = 1.001;
/** Longest watch that counts, in minutes. */
const WATCH_MAX = 24 * 60;

/** The content of streams on air and recently off air, kept once for all groups that read it. */
export function keepContents({ state, seed }: FeatureContext, words?: WordVectors): KeptContents {
  return state.keep("content", () => new KeptContents(state, seed, words));
}

/**
 * Likeness of a stream to the streams that the user watched, by title and tags and by embeddings of text, image and
 * audio; whether its language is the user's, and whether it is for adults.
 *
 * Keeps 32 numbers for each modality of a stream, which `on_air` and `update` events write, and of a user, which
 * engaged watches write. Writes 12 numbers of a candidate; a modality without data is masked.
 */
export function content({ words }: ContentOptions = {}): FeatureGroup {
  return {
    name: "content",
    options: words === undefined ? {} : { words },
    build: (context) => new ContentWriter(keepContents(context, words)),
    withOptions(saved) {
      requireShape(fields<ContentOptions>({ words: or(undefined, group) }), saved, "content");
      const { words: given } = saved as { words?: SavedWordVectors };
      if (given === undefined) return content();
      if (words !== undefined) return content({ words: words.with(given) });
      throw new SnapshotError('the file\'s "content" holds word vectors: give content({ words }) to "load"');
    },
  };
}

/** Fading sums of the content of the streams that a user watched, by modality; null before the first. */
interface Watched {
  sums: (number[] | null)[];
  /** When the sums were last faded. */
  time: number;
}

class KeptContents implements Keeper {
  readonly contents: Contents;
  /** Sums of f32: each is rounded when it is written, and takes four bytes. */
  readonly #users: PackedMap;
  readonly #out = new ByteWriter(600);
  readonly #state: State;

  constructor(state: State, seed: number, words: WordVectors | undefined) {
    this.contents = new Contents(seed, words);
    this.#users = new PackedMap(state.users.options.users);
    this.#state = state;
  }

  /**
   * The sums of a user; undefined before the first engaged watch. All fade alike, which leaves directions unchanged.
   */
  watched(user: Id): Watched | undefined {
    const record = this.#users.get(user);
    return record && read(new ByteReader(record));
  }

  feedback({ event, watch }: Fact): void {
    if (event.kind === "on_air") this.contents.onAir(event);
    else if (event.kind === "update") this.contents.update(event);
    else if (event.kind === "off_air") this.contents.offAir(event.stream);
    else if (event.kind === "watch" && watch!.watchMs >= this.#state.users.options.engagedMs) {
      const content = this.contents.get(event.stream);
      if (content === undefined) return;
      this.#add(event.user, content, log1p(Math.min(watch!.watchMs / MINUTE, WATCH_MAX)), event.time);
    }
  }

  forget(user: Id): void {
    this.#users.delete(user);
  }

  forgetStreamer(streamer: Id): void {
    for (const id of this.#state.catalogue.goneOf(streamer)) this.contents.delete(id);
  }

  profile(user: Id): object | undefined {
    const watched = this.watched(user);
    return watched && { content: watched.sums };
  }

  parts(name: string): Part[] {
    return [this.#users.part(name), streamsPart(`${name}.streams`, this.contents)];
  }

  readers(name: string): NamedReader[] {
    const users = framedReader(name, (frame) => {
      frame.what = `${name}.${this.#users.size}`;
      this.#users.take(frame, read);
    });
    const streams = `${name}.streams`;
    return [
      [name, users],
      [streams, streamsReader(streams, this.contents)],
    ];
  }

  save(): SavedContents["words"] {
    return this.contents.saveWords();
  }

  load(saved: unknown): void {
    this.contents.loadWords(saved as SavedContents["words"]);
  }

  #add(user: Id, { rows }: Content, weight: number, now: number): void {
    const watched = this.watched(user) ?? { sums: MODALITIES.map(() => null), time: now };
    const factor = fade(now - watched.time, WEEK);
    const out = this.#out.clear();
    const isWrong = watched.time - now > WRONG_CLOCK_MS;
    out.f64(isWrong ? now : Math.max(watched.time, now));
    out.u8(rows.reduce((mask, row, m) => mask | (row === null && watched.sums[m] === null ? 0 : 1 << m), 0));
    for (let m = 0; m < rows.length; m++) {
      const row = rows[m]!;
      const sum = watched.sums[m]!;
      if (row === null && sum === null) continue;
      for (let i = 0; i < CONTENT_SIZE; i++) {
        out.f32((sum === null ? 0 : sum[i]! * factor) + (row === null ? 0 : weight * row[i]!));
      }
    }
    this.#users.set(user, out.bytes.subarray(0, out.length));
  }
}

/** Reads the sums of a user. */
function read(bytes: ByteReader): Watched {
  const time = bytes.number(-Number.MAX_VALUE, Number.MAX_VALUE, "time");
  const mask = bytes.u8();
  if (mask >= 1 << MODALITIES.length) bytes.fail(`of ${MODALITIES.length} modalities`);
  const sums = MODALITIES.map((_, m) => {
    if ((mask & (1 << m)) === 0) return null;
    const sum = Array.from({ length: CONTENT_SIZE }, () => bytes.f32());
    if (!sum.every(Number.isFinite)) bytes.fail("finite numbers");
    return sum;
  });
  return { sums, time };
}

/** What a stream has, by bits: a language, word on its audience, that it is for adults, an embedding of the text, rows. */
const [LANGUAGE, KNOWN, MATURE, EMBEDDED, ROWS] = [1, 2, 4, 8, 16] as const;
const FLAGS = ROWS << MODALITIES.length;

/** The part of a save: the streams on air, then those that went off air. */
function streamsPart(name: string, contents: Contents): Part {
  const pictures = contents.pictures();
  function* frames() {
    const out = new ByteWriter();
    for (const [isGone, picture] of pictures.entries()) {
      for (const [stream, { language, mature, title, tags, embedded, rows }] of picture.entries()) {
        let has = language === undefined ? 0 : LANGUAGE;
        if (mature !== undefined) has |= mature ? KNOWN | MATURE : KNOWN;
        if (embedded) has |= EMBEDDED;
        for (let m = 0; m < rows.length; m++) if (rows[m] !== null) has |= ROWS << m;
        out.clear().u8(isGone);
        out.text(stream);
        out.varint(has);
        if (language !== undefined) out.text(language);
        out.text(title);
        out.varint(tags.length);
        for (const tag of tags) out.text(tag);
        for (const row of rows) for (const x of row ?? []) out.f32(x);
        yield out.bytes.subarray(0, out.length);
      }
    }
  }
  return framedPart(name, frames, ...pictures.map((picture) => ({ release: () => picture.close() })));
}

/** Reads such a part into empty contents. */
function streamsReader(name: string, contents: Contents): PartReader {
  let count = 0;
  return framedReader(name, (frame) => {
    frame.what = `${name}.${count++}`;
    const isGone = frame.count(1, "gone") === 1;
    const stream = frame.text();
    const has = frame.count(FLAGS - 1, "has");
    const language = has & LANGUAGE ? frame.text() : undefined;
    const mature = has & KNOWN ? (has & MATURE) > 0 : undefined;
    const title = frame.text();
    // A tag takes a byte at least.
    const tags = Array.from({ length: frame.count(frame.end - frame.at, "tags") }, () => frame.text());
    const rows = MODALITIES.map((_, m) => (has & (ROWS << m) ? rowOf(frame) : null));
    const content = { language, mature, title, tags, embedded: has & EMBEDDED ? true : undefined, rows };
    if (!contents.restore(stream, content, isGone)) frame.fail(`of new streams, got ${JSON.stringify(stream)}`);
  });
}

/** A row of length 1 or less. */
function rowOf(frame: ByteReader): Float32Array {
  const row = Float32Array.from({ length: CONTENT_SIZE }, () => frame.f32());
  if (!row.every((x) => Math.abs(x) <= ROW_MAX)) frame.fail(`numbers in [-${ROW_MAX}, ${ROW_MAX}]`);
  return row;
}

class ContentWriter implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 2 * MODALITIES.length + 4;
  readonly #kept: KeptContents;
  readonly #taste = MODALITIES.map(() => new Float32Array(CONTENT_SIZE));
  readonly #has = MODALITIES.map(() => false);
  #language: string | undefined;

  constructor(kept: KeptContents) {
    this.#kept = kept;
  }

  begin(user: Id, { traits }: UserProfile, { now }: Moment): void {
    this.#language = traits.language;
    const watched = this.#kept.watched(user);
    const factor = watched === undefined ? 0 : fade(now - watched.time, WEEK);
    for (let m = 0; m < MODALITIES.length; m++) {
      const sum = watched?.sums[m] ?? [];
      let squares = 0;
      for (const x of sum) squares += x * x;
      this.#has[m] = squares * factor * factor > FADED;
      for (let i = 0; this.#has[m] && i < CONTENT_SIZE; i++) this.#taste[m]![i] = sum[i]! / Math.sqrt(squares);
    }
  }

  writeCandidate(row: Float32Array, offset: number, { id }: CatalogStream): void {
    const content = this.#kept.contents.get(id);
    row.fill(0, offset, offset + this.candidate);
    if (content === undefined) return;
    let at = offset;
    for (let m = 0; m < MODALITIES.length; m++, at += 2) {
      const own = content.rows[m]!;
      if (own === null || !this.#has[m]) continue;
      const taste = this.#taste[m]!;
      let dot = 0;
      for (let i = 0; i < CONTENT_SIZE; i++) dot += taste[i]! * own[i]!;
      row[at] = 1;
      row[at + 1] = Math.min(Math.max(dot, -1), 1);
    }
    if (content.language !== undefined && this.#language !== undefined) {
      row[at] = 1;
      row[at + 1] = content.language === this.#language ? 1 : -1;
    }
    if (content.mature !== undefined) {
      row[at + 2] = 1;
      row[at + 3] = content.mature ? 1 : -1;
    }
  }
}
