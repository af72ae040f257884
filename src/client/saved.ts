import type { LiveEvent } from "../protocol/index.js";
import { type Item, itemOf } from "./queue.js";
import { type ClientStorage, keysWith } from "./storage.js";

/** Older events are of no use: a server drops what is more than a day late. */
const AGE_MAX_MS = 86_400_000;
/** Milliseconds between two writes. */
const WRITE_MS = 200;

/** What waits in a page, as it is stored. */
interface SavedQueue {
  at: number;
  items: [event: LiveEvent, isByHost: 0 | 1][];
}

function isItem(value: unknown): value is SavedQueue["items"][number] {
  if (!Array.isArray(value) || typeof value[0] !== "object" || value[0] === null) return false;
  const { kind, id, time } = value[0] as Record<string, unknown>;
  return typeof kind === "string" && typeof id === "string" && Number.isFinite(time);
}

/** The items of a text that this or another page stored; none of what is no such text. */
function parsed(text: string, now: number): Item[] {
  try {
    const { at, items } = JSON.parse(text) as SavedQueue;
    if (!Number.isFinite(at) || now - at > AGE_MAX_MS || !Array.isArray(items)) return [];
    return items.filter(isItem).map(([event, isByHost]) => itemOf(event, isByHost === 1));
  } catch {
    return [];
  }
}

/**
 * Keeps what waits in a storage, under a key of this client's own: pages that are open at once do not overwrite each other.
 * What other pages left is taken over; if one of them lives and sends it too, the ids of events tell.
 */
export class SavedItems {
  readonly #storage: ClientStorage;
  readonly #prefix: string;
  readonly #own: string;
  readonly #current: () => readonly Item[];
  readonly #onError: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWritten = false;

  constructor(
    storage: ClientStorage,
    prefix: string,
    name: string,
    current: () => readonly Item[],
    onError: (error: unknown) => void,
  ) {
    this.#storage = storage;
    this.#prefix = `${prefix}.queue.`;
    this.#own = this.#prefix + name;
    this.#current = current;
    this.#onError = onError;
  }

  /** Takes over what pages before this one left. */
  async takeOver(): Promise<Item[]> {
    const items: Item[] = [];
    try {
      for (const key of await keysWith(this.#storage, this.#prefix)) {
        if (key === this.#own) continue;
        items.push(...parsed((await this.#storage.getItem(key)) ?? "", Date.now()));
        await this.#storage.removeItem(key);
      }
    } catch (error) {
      this.#onError(error);
    }
    return items;
  }

  /** Writes soon, together with what else changes. */
  change(): void {
    this.#timer ??= setTimeout(() => this.write(), WRITE_MS);
  }

  /** Writes at once. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#current();
    try {
      if (items.length === 0 && !this.#isWritten) return;
      this.#isWritten = items.length > 0;
      const saved: SavedQueue = { at: Date.now(), items: items.map((each) => [each.event, each.isByHost ? 1 : 0]) };
      const done = this.#isWritten
        ? this.#storage.setItem(this.#own, JSON.stringify(saved))
        : this.#storage.removeItem(this.#own);
      done?.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }
}
