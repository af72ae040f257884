import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { POLICY } from "./policy.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** No script but its own files, no other host, no frame around it: which the document itself cannot forbid. */
const SAFETY = {
  "content-security-policy": `${POLICY}; frame-ancestors 'none'`,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const compressed = promisify(brotliCompress);

/** The files of one page, held in memory; each is compressed once, when somebody first asks for it. */
export class Pages {
  readonly #files = new Map<string, Uint8Array>();
  readonly #small = new Map<string, Promise<Uint8Array>>();

  /** @param folder Where its files are. @throws Error if they are not. */
  constructor(folder: string) {
    if (!existsSync(folder)) throw new Error(`the page is not there: "npm run build" writes it to ${folder}`);
    for (const file of readdirSync(folder)) this.#files.set(file, readFileSync(join(folder, file)));
  }

  /** The answer for a file of the page, "" for the page itself; undefined for none. */
  async answer(file: string, request: Request): Promise<Response | undefined> {
    const name = file === "" ? "index.html" : file;
    const bytes = this.#files.get(name);
    if (bytes === undefined) return undefined;
    const isSmall = /\bbr\b/.test(request.headers.get("accept-encoding") ?? "");
    const headers: Record<string, string> = {
      ...SAFETY,
      "content-type": TYPES[extname(name)] ?? "application/octet-stream",
      // Parts have their digest in their names; the others are asked for again.
      "cache-control": name.startsWith("part-") ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
      ...(isSmall && { "content-encoding": "br" }),
    };
    const body = isSmall ? await this.#compressed(name, bytes) : bytes;
    return new Response(request.method === "HEAD" ? null : (body as BodyInit), { headers });
  }

  #compressed(name: string, bytes: Uint8Array): Promise<Uint8Array> {
    const known = this.#small.get(name);
    if (known !== undefined) return known;
    const made = compressed(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    this.#small.set(name, made);
    return made;
  }
}
