import type { WatchState } from "../../server/index.js";

/** What the server answered with, where it was no 2xx. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const KEY = "liveq.token";

/** The token of this tab: it is gone with it. */
export const token = {
  get(): string {
    return sessionStorage.getItem(KEY) ?? "";
  },
  set(value: string): void {
    sessionStorage.setItem(KEY, value);
  },
};

function headers(): Record<string, string> {
  const own = token.get();
  return { "content-type": "application/json", ...(own !== "" && { authorization: `Bearer ${own}` }) };
}

async function refusalOf(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  return new Refused(response.status, body.error?.message ?? `the server answered ${response.status}`);
}

/** Asks the server that this page came from. @throws Refused. */
export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init = { method, headers: headers(), ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(path, init);
  if (!response.ok) throw await refusalOf(response);
  return (await response.json()) as T;
}

/** Calls back with each state of the server, until the signal comes or the connection ends. @throws Refused. */
export async function watch(signal: AbortSignal, onState: (state: WatchState) => void): Promise<void> {
  // Not by EventSource, which sends no token.
  const response = await fetch("v1/watch", { headers: headers(), signal });
  if (!response.ok) throw await refusalOf(response);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) onState(JSON.parse(block.replace(/^data: /, "")) as WatchState);
  }
}
