import { Latest } from "../../../collections/index.js";
import {
  CONTENT_SIZE,
  type Content,
  Contents,
  MODALITIES,
  type SavedContents,
  type SavedWordVectors,
  type WordVectors,
} from "../../../encoders/index.js";
import { SnapshotError } from "../../../engine/index.js";
import { fade, log1p } from "../../../numeric/index.js";
import { type Id, MINUTE, WEEK, WRONG_CLOCK_MS } from "../../../protocol/index.js";
import type { CatalogStream, Fact, Keeper, State, UserProfile } from "../../state/index.js";
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

interface SavedKeptContents {
  contents: SavedContents;
  users: [Id, Watched][];
}

class KeptContents implements Keeper {
  readonly contents: Contents;
  readonly #users: Latest<Id, Watched>;
  readonly #state: State;

  constructor(state: State, seed: number, words: WordVectors | undefined) {
    this.contents = new Contents(seed, words);
    this.#users = new Latest(state.users.options.users);
    this.#state = state;
  }

  /**
   * The sums of a user; undefined before the first engaged watch. All fade alike, which leaves directions unchanged.
   */
  watched(user: Id): Watched | undefined {
    return this.#users.get(user);
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
    const watched = this.#users.get(user);
    return watched && { content: watched.sums };
  }

  save(numbers: Float32Array[]): SavedKeptContents {
    return { contents: this.contents.save(numbers), users: [...this.#users] };
  }

  load(saved: unknown, numbers: Float32Array): void {
    const { contents, users } = saved as SavedKeptContents;
    this.contents.load(contents, numbers);
    for (const [user, watched] of users) this.#users.set(user, watched);
  }

  #add(user: Id, { rows }: Content, weight: number, now: number): void {
    const watched = this.#users.get(user) ?? { sums: MODALITIES.map(() => null), time: now };
    const factor = fade(now - watched.time, WEEK);
    const isWrong = watched.time - now > WRONG_CLOCK_MS;
    watched.time = isWrong ? now : Math.max(watched.time, now);
    for (let m = 0; m < rows.length; m++) {
      const row = rows[m]!;
      if (row === null && watched.sums[m] === null) continue;
      const sum = (watched.sums[m] ??= new Array<number>(CONTENT_SIZE).fill(0));
      for (let i = 0; i < CONTENT_SIZE; i++) sum[i] = sum[i]! * factor + (row === null ? 0 : weight * row[i]!);
    }
    this.#users.set(user, watched);
  }
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
