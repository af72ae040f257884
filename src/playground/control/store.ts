import type { SavedTraining } from "./calls.js";

const [DATABASE, STORE] = ["liveq", "trainings"];

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    return await done(run(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

/** The training that this browser keeps of an environment; undefined without one, or where it may keep nothing. */
export async function kept(environment: string): Promise<SavedTraining | undefined> {
  return within<SavedTraining | undefined>("readonly", (store) => store.get(environment)).catch(() => undefined);
}

/** Keeps a training in place of the one before. @throws DOMException where the browser keeps nothing. */
export async function keep(saved: SavedTraining): Promise<void> {
  await within("readwrite", (store) => store.put(saved, saved.environment));
}

export async function drop(environment: string): Promise<void> {
  await within("readwrite", (store) => store.delete(environment)).catch(() => undefined);
}
