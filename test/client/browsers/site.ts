import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { build } from "esbuild";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".png": "image/png",
};

/** The site of a platform: pages of its own origin, and what they post. */
export interface PlatformSite {
  origin: string;
  /** What a page posts under a path, once. */
  posted: (path: string) => Promise<string>;
  /** What it posted last, by path. */
  latest: Map<string, string>;
  /** Files by path, and headers of all answers. */
  files: Map<string, string>;
  headers: Record<string, string>;
  close: () => void;
}

/** @param folder - Whose files are served too. */
export async function platformSite(folder?: string): Promise<PlatformSite> {
  const waiting = new Map<string, (text: string) => void>();
  const latest = new Map<string, string>();
  const files = new Map<string, string>();
  const headers: Record<string, string> = {};
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST") {
      let text = "";
      for await (const piece of request) text += piece;
      response.writeHead(204).end();
      latest.set(pathname, text);
      waiting.get(pathname)?.(text);
      return;
    }
    const name = extname(pathname) === "" && !files.has(pathname) ? "/index.html" : pathname;
    const content = files.get(name) ?? (folder === undefined ? undefined : read(join(folder, normalize(name))));
    const type = TYPES[extname(name)] ?? "application/json";
    response.writeHead(content === undefined ? 404 : 200, { ...headers, "content-type": type }).end(content);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const posted = (path: string) => new Promise<string>((resolve) => waiting.set(path, resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://localhost:${port}`, posted, latest, files, headers, close };
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** A program for a page, bundled as a site does it, from what ships. */
export async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    alias: { "liveq/client": "./dist/client/index.js" },
    logLevel: "warning",
  });
  return outputFiles[0]!.text;
}
