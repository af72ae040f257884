import { type MessagePort, workerData } from "node:worker_threads";

/** What the thread that asks and this one share. */
export interface FetcherData {
  url: string;
  token: string | undefined;
  port: MessagePort;
  /** (1): how many answers have come. */
  answered: Int32Array;
}

const { url, token, port, answered } = workerData as FetcherData;
const headers = {
  "content-type": "application/json",
  ...(token !== undefined && { authorization: `Bearer ${token}` }),
};

/** Asks, posts the answer, and wakes who waits for it. */
port.on("message", async ({ path, body }: { path: string; body: unknown }) => {
  try {
    const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    port.postMessage({ status: response.status, body: await response.json() });
  } catch (error) {
    port.postMessage({ status: 0, body: { error: { message: (error as Error).message } } });
  }
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});
