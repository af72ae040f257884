/**
 * A server in a Durable Object of Cloudflare Workers: it serves and learns in memory, and its storage keeps what it knows, in
 * parts, as a value of that storage has a limit. An alarm saves some seconds after a change; an object that is started anew
 * goes on, bit for bit, from what was saved last, so that a crash costs the changes of those seconds.
 *
 *   wrangler.toml:
 *     main = "node_modules/liveq/dist/examples/durable.js"
 *     compatibility_date = "2026-01-01"
 *     durable_objects.bindings = [{ name = "ROOM", class_name = "Room" }]
 *     migrations = [{ tag = "v1", new_sqlite_classes = ["Room"] }]
 *     vars = { SAVE_MS = "10000" }
 *
 *   npm install liveq wrangler && npx wrangler dev
 *   curl -X PUT localhost:8787/v1/streams/s1 -H 'content-type: application/json' -d '{"streamer":"ann"}'
 *   curl localhost:8787/v1/recommend -H 'content-type: application/json' -d '{"user":"u1","k":6}'
 *
 * Everybody may do all here: give `edgeApp` tokens. An object has 128 MB and one thread: give each platform one of its own by
 * another name in `idFromName`.
 */
import { type Edge, type EdgeApp, edgeApp, memoryEdge } from "liveq/server";

/** What it uses of an object's storage. */
interface Storage {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<Map<string, unknown>>;
  put(values: Record<string, unknown>): Promise<void>;
  delete(keys: string[]): Promise<number>;
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
}

interface Env {
  ROOM: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } };
  SAVE_MS?: string;
}

/** Where the parts of the newest file are. */
interface Head {
  generation: number;
  parts: number;
}

/** Bytes of a part, below the 128 KiB that a value may have; and keys of a call, at most. */
const PART = 120_000;
const KEYS = 128;

const keysOf = ({ generation, parts }: Head) => Array.from({ length: parts }, (_, i) => `${generation}/${i}`);

function* groupsOf(keys: string[]): Generator<string[]> {
  for (let i = 0; i < keys.length; i += KEYS) yield keys.slice(i, i + KEYS);
}

export class Room {
  readonly #storage: Storage;
  readonly #saveMs: number;
  readonly #begun: Promise<{ edge: Edge; app: EdgeApp }>;

  constructor(state: { storage: Storage }, { SAVE_MS = "10000" }: Env) {
    this.#storage = state.storage;
    this.#saveMs = Number(SAVE_MS);
    this.#begun = this.#begin();
  }

  async #begin(): Promise<{ edge: Edge; app: EdgeApp }> {
    const head = (await this.#storage.get("head")) as Head | undefined;
    const pieces: Uint8Array[] = [];
    for (const keys of head === undefined ? [] : groupsOf(keysOf(head))) {
      const values = await this.#storage.get(keys);
      for (const key of keys) pieces.push(values.get(key) as Uint8Array);
    }
    const file = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const edge = await memoryEdge({ recommender: { seed: 1 }, ...(head !== undefined && { file }) });
    return { edge, app: edgeApp({ edge }) };
  }

  async fetch(request: Request): Promise<Response> {
    const { app } = await this.#begun;
    const response = await app.fetch(request);
    const isChange = request.method !== "GET" && response.ok;
    if (isChange && (await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + this.#saveMs);
    return response;
  }

  /** All that it knows. */
  async file(): Promise<Uint8Array> {
    return (await this.#begun).edge.file();
  }

  /** Saves. The parts of before go only once the new ones are named. */
  async alarm(): Promise<void> {
    const file = await this.file();
    const before = (await this.#storage.get("head")) as Head | undefined;
    const head = { generation: (before?.generation ?? 0) + 1, parts: Math.ceil(file.length / PART) };
    const parts = keysOf(head).map((key, i) => [key, file.slice(i * PART, (i + 1) * PART)] as const);
    for (let i = 0; i < parts.length; i += KEYS) await this.#storage.put(Object.fromEntries(parts.slice(i, i + KEYS)));
    await this.#storage.put({ head });
    if (before !== undefined) for (const keys of groupsOf(keysOf(before))) await this.#storage.delete(keys);
  }
}

export default {
  fetch(request: Request, { ROOM }: Env): Promise<Response> {
    return ROOM.get(ROOM.idFromName("platform")).fetch(request);
  },
};
