import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryEdge } from "../../src/server/index.js";
import { type Modules, type Objects, PATIENT, useWorker } from "../runtimes/execute.js";
import { CACHE, type Runtime, runtime } from "../runtimes/install.js";

/** It is not installed here: `npm run test:runtimes -- --only workerd` installs it. */
const isThere = existsSync(CACHE) && existsSync(join(CACHE, "workerd-1.20261023.1"));

/** The example as a worker, with a way to read its file. */
const ENTRY = `
import worker, { Room as Example } from "./dist/examples/durable.js";
export default worker;
export class Room extends Example {
  #storage;
  constructor(state, env) {
    super(state, env);
    this.#storage = state.storage;
  }
  async fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === "/saved") {
      const head = await this.#storage.get("head");
      const values = await this.#storage.list();
      const sizes = [...values.values()].map((value) => value.length ?? 0);
      const pieces = Array.from({ length: head?.parts ?? 0 }, (_, i) => values.get(head.generation + "/" + i));
      return Response.json({ ...head, values: values.size, largest: Math.max(...sizes), file: await textOf(pieces) });
    }
    if (path === "/now") return new Response(await textOf([await this.file()]));
    return super.fetch(request);
  }
}
async function textOf(pieces) {
  let text = "";
  for (const byte of new Uint8Array(await new Blob(pieces).arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}
`;

let modules: Modules;
let folder: string;
beforeAll(async () => {
  mkdirSync(".build", { recursive: true });
  folder = mkdtempSync(resolve(".build", "durable-"));
  const { outputFiles } = await build({
    ...{ bundle: true, write: false, minify: true, format: "esm", target: "es2022", logLevel: "error" },
    stdin: { contents: ENTRY, resolveDir: resolve("."), sourcefile: "entry.mjs" },
    // As a user's bundler finds the package: not its sources.
    tsconfigRaw: {},
    conditions: ["workerd"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    outfile: join(folder, "main.js"),
  });
  const files = outputFiles.map(({ path, contents }) => [path.endsWith(".wasm") ? "dqn.wasm" : "main.js", contents]);
  modules = Object.fromEntries(files.reverse());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the bundle of a worker that serves and learns imports nothing of Node", () => {
  const code = Buffer.from(modules["main.js"]!).toString();
  const sizes = Object.entries(modules).map(([name, content]) => {
    return `${name} ${content.length} bytes, ${gzipSync(content).length} gzip`;
  });
  console.log(`a worker with liveq/server: ${sizes.join("; ")}`);
  expect([...code.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)].map(([, name]) => name)).toEqual(["./dqn.wasm"]);
  // A worker may have 1 MB on the free plan, 10 MB on others, compressed.
  expect(gzipSync(code).length).toBeLessThan(200_000);
});

describe.skipIf(!isThere)("a Durable Object", () => {
  type Saved = { parts: number; values: number; largest: number; file: string };

  function served(use: (ask: (path: string, method?: string, body?: unknown) => Promise<string>) => Promise<string>) {
    const objects: Objects = { binding: "ROOM", className: "Room", folder, variables: { SAVE_MS: "50" } };
    return useWorker(runtime("workerd") as Runtime, { modules, objects }, PATIENT, (url) =>
      use(async (path, method = "GET", body = undefined) => {
        const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
        const response = await fetch(`${url}${path}`, body === undefined ? { method } : init);
        if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
        return response.text();
      }),
    );
  }

  const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

  test("serves, learns, saves in parts by its alarm, and goes on bit for bit after a restart", async () => {
    const saved = await served(async (ask) => {
      for (let n = 0; n < 20; n++) await ask(`v1/streams/s${n}`, "PUT", { streamer: `ann${n}` });
      for (let i = 0; i < 80; i++) {
        const { id, slate } = JSON.parse(await ask("v1/recommend", "POST", { user: `u${i % 5}`, k: 3 }));
        const about = { user: `u${i % 5}`, stream: slate[0], decision: id, time: Date.now() };
        await ask("v1/events", "POST", [
          { kind: "click", ...about },
          { kind: "watch", watchMs: 0, ...about },
        ]);
      }
      const { recommender } = JSON.parse(await ask("v1/stats"));
      expect(recommender).toMatchObject({ onAir: 20, users: 5 });
      // Until the alarm has saved all of it.
      for (;;) {
        const text = await ask("saved");
        if ((JSON.parse(text) as Saved).file === (await ask("now"))) return text;
        await new Promise((done) => setTimeout(done, 20));
      }
    });
    const { parts, values, largest, file } = JSON.parse(saved) as Saved;
    console.log(`saved in ${parts} parts of at most ${largest} bytes`);
    // The parts of before are gone.
    expect([values, largest <= 131_072, parts > 1]).toEqual([parts + 1, true, true]);
    const again = await served(async (ask) => {
      const now = await ask("now");
      expect(JSON.parse(await ask("v1/stats")).recommender).toMatchObject({ onAir: 20, users: 5 });
      expect(JSON.parse(await ask("v1/recommend", "POST", { user: "u1", k: 3 })).slate).toHaveLength(3);
      return now;
    });
    expect(hashOf(again)).toBe(hashOf(file));
    // And in another runtime.
    const edge = await memoryEdge({ file: Uint8Array.from(Buffer.from(file, "base64")) });
    expect(hashOf(Buffer.from(await edge.file()).toString("base64"))).toBe(hashOf(file));
    await edge.close();
  });
});
