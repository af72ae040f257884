import { fileURLToPath } from "node:url";
import { serve } from "../../node/index.js";
import { Pages } from "./pages.js";

export interface PlaygroundOptions {
  readonly host: string;
  readonly port: number;
}

/** Where the files of a page are; without a folder, beside the command's own. */
export function folderOf(page: string, folder = new URL("../pages/", import.meta.url)): string {
  return fileURLToPath(new URL(page, folder));
}

/** Serves the playground until the signal comes. @throws Error if it is not built. */
export async function playground({ host, port }: PlaygroundOptions, signal: AbortSignal): Promise<void> {
  const pages = new Pages(folderOf("playground"));
  const answer = async (request: Request): Promise<Response> => {
    const found = await pages.answer(new URL(request.url).pathname.slice(1), request);
    return found ?? new Response("there is nothing here\n", { status: 404 });
  };
  const serving = await serve(answer, { port, hostname: host });
  process.stderr.write(`liveq: the playground is at ${serving.url}; Ctrl-C stops it\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await serving.stop(1000);
}
