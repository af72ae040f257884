import { existsSync } from "node:fs";
import { Pages } from "./pages.js";
import { folderOf } from "./playground.js";

/** By the beginning of the path, the page that stands there; the longest first. */
const MOUNTS = [
  { path: "/playground/", page: "playground" },
  { path: "/", page: "dashboard" },
] as const;

/** The pages of a server: its dashboard at `/`, and the playground. Without a build there are none. */
export class MountedPages {
  readonly #mounts: readonly { path: string; pages: Pages }[];

  /** @param folder Where the folders of the pages are. Default: beside the command. */
  constructor(folder?: URL) {
    const of = (page: string) => folderOf(page, folder);
    this.#mounts = MOUNTS.filter(({ page }) => existsSync(of(page))).map(({ path, page }) => {
      return { path, pages: new Pages(of(page)) };
    });
  }

  /** The answer for a file of a page; undefined for whatever else is asked for. */
  async answer(request: Request): Promise<Response | undefined> {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined;
    const { pathname } = new URL(request.url);
    // Without the stroke at its end a page would look for its files beside itself.
    if (pathname === "/playground") return new Response(null, { status: 308, headers: { location: "/playground/" } });
    const mount = this.#mounts.find(({ path }) => pathname.startsWith(path));
    return mount?.pages.answer(pathname.slice(mount.path.length), request);
  }
}
