import { EventError } from "../../protocol/index.js";
import type { Ranker } from "./ranker.js";

/** Weights by which actions are ranked, at one moment of their learning. */
export interface RankModel {
  /** Counts from 1, over restarts too where models are kept; 0: nothing was learned, and the caller's order counts. */
  readonly version: number;
  readonly updates: number;
  /** Mean of the latest losses. */
  readonly loss: number;
  /** Empty in version 0. */
  readonly weights: Float32Array;
}

/** A model without its weights. */
export type RankModelAbout = Omit<RankModel, "weights">;

/** Which models of ranking must last over restarts, and the one that somebody went back to. */
export interface KeptRankModels {
  readonly versions: readonly number[];
  /** Undefined: the newest ranks. */
  readonly pinned: number | undefined;
}

/** Of models that come every few rewards, one in so many is kept, so that one can go back far. */
const KEPT_EVERY = 16;
/** Models that one can go back to, beside version 0. */
const KEPT = 8;

/** Whether one can go back to a model later. */
export function isKept(version: number): boolean {
  return version % KEPT_EVERY === 1;
}

/** The last version before the next one that is kept: where counting goes on after a restart, so that no number comes twice. */
export function lastBefore(newestKept: number): number {
  return newestKept + KEPT_EVERY - 1;
}

const NOTHING: RankModel = { version: 0, updates: 0, loss: Number.NaN, weights: new Float32Array(0) };

/** The models of ranking: which one ranks, and which ones one can go back to. */
export class RankModels {
  readonly #ranker: Ranker;
  readonly #kept: RankModel[] = [];
  #newest: RankModel = NOTHING;
  #live: RankModel = NOTHING;
  #isPinned = false;

  /** @param ranker Of who serves; what it has learned is version 1. */
  constructor(ranker: Ranker) {
    this.#ranker = ranker;
    const own = ranker.model();
    if (own !== undefined) this.#newest = this.#live = { version: 1, loss: Number.NaN, ...own };
    if (own !== undefined) this.#kept.push(this.#live);
  }

  /** Puts back the models of an earlier run; those that do not fit are left out. */
  restore(models: readonly RankModel[], pinned: number | undefined): void {
    if (models.length === 0 && pinned !== NOTHING.version) return;
    const found = [NOTHING, ...models].find(({ version }) => version === pinned);
    const live = found ?? models.at(-1)!;
    try {
      this.#ranker.swap(live);
    } catch {
      return;
    }
    if (models.length > 0) this.#kept.splice(0, this.#kept.length, ...models);
    this.#newest = models.at(-1) ?? this.#newest;
    this.#live = live;
    this.#isPinned = found !== undefined;
  }

  get live(): RankModelAbout & { readonly isPinned: boolean } {
    return { ...about(this.#live), isPinned: this.#isPinned };
  }

  /** Those that one can go back to, the oldest first, and the newest. */
  list(): RankModelAbout[] {
    const all = [NOTHING, ...this.#kept];
    return (all.includes(this.#newest) ? all : [...all, this.#newest]).map(about);
  }

  /** Which of them must last over restarts. */
  get kept(): KeptRankModels {
    return {
      versions: this.#kept.map(({ version }) => version),
      pinned: this.#isPinned ? this.#live.version : undefined,
    };
  }

  /** A new model ranks from now on, unless somebody went back to another one. */
  add(model: RankModel): void {
    if (!this.#isPinned) this.#swap(model);
    this.#newest = model;
    if (!isKept(model.version)) return;
    this.#kept.push(model);
    const old = this.#kept.findIndex((one) => one !== this.#live);
    if (this.#kept.length > KEPT) this.#kept.splice(old, 1);
  }

  /**
   * Goes back to an earlier model at once, and stays there until `release`.
   *
   * @param version Default: the newest that is kept and older than the one that ranks.
   * @throws EventError.
   */
  rollback(version?: number): void {
    const all = [NOTHING, ...this.#kept];
    const found =
      version === undefined
        ? all.filter((model) => model.version < this.#live.version).at(-1)
        : all.find((model) => model.version === version);
    if (found === undefined) {
      const versions = all.map((model) => model.version).join(", ");
      const was = version ?? "the one before the oldest";
      throw new EventError("version", `"version" must be one of ${versions}, got ${was}`);
    }
    this.#swap(found);
    this.#isPinned = true;
  }

  /** Lets the newest model rank again, and those to come. */
  release(): void {
    this.#swap(this.#newest);
    this.#isPinned = false;
  }

  #swap(model: RankModel): void {
    this.#ranker.swap(model);
    this.#live = model;
  }
}

function about({ version, updates, loss }: RankModel): RankModelAbout {
  return { version, updates, loss };
}
