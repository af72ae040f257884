/**
 * Where a client keeps what it has not yet sent; `localStorage` and `sessionStorage` are such. Methods may return
 * promises. What throws is told to `onError`, and the client goes on without.
 */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
  /** All keys. Default: the names of the object's own fields, as in `localStorage`. */
  keys?(): string[] | Promise<string[]>;
}

/** The keys of a storage that begin with a prefix. */
export async function keysWith(storage: ClientStorage, prefix: string): Promise<string[]> {
  const keys = typeof storage.keys === "function" ? await storage.keys() : Object.keys(storage);
  return keys.filter((key) => key.startsWith(prefix));
}

/**
 * A storage in the page's IndexedDB: it holds more than `localStorage`, and workers have it too.
 *
 * @param name - Of the database. Default `liveq`.
 */
export function indexedDbStorage(name = "liveq"): ClientStorage {
  let opened: Promise<IDBDatabase> | undefined;
  const open = () =>
    new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("items");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const run = async <T>(mode: IDBTransactionMode, work: (items: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    opened ??= open();
    const items = (await opened).transaction("items", mode).objectStore("items");
    return new Promise((resolve, reject) => {
      const request = work(items);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  };
  return {
    getItem: async (key) => (await run<string | undefined>("readonly", (items) => items.get(key))) ?? null,
    setItem: async (key, value) => void (await run("readwrite", (items) => items.put(value, key))),
    removeItem: async (key) => void (await run("readwrite", (items) => items.delete(key))),
    keys: async () => (await run("readonly", (items) => items.getAllKeys())).map(String),
  };
}
