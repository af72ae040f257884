/**
 * A server before another, for a browser that runs no script before the page's own: documents get one, as a file of their
 * own origin, so that their policy stands.
 */
import { createServer, type IncomingMessage, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** Where the script stands. */
export const FRONT_PATH = "/before-all-others.js";

export interface Front {
  readonly url: string;
  close(): void;
}

/** @param script - What runs in each document before its own scripts. */
export async function front(url: string, script: string): Promise<Front> {
  const server = createServer((request, response) => {
    if (request.url === FRONT_PATH) {
      response.writeHead(200, { "content-type": "text/javascript" }).end(script);
      return;
    }
    const isDocument = request.headers.accept?.includes("text/html") ?? false;
    // A document is changed, so it must come as it is.
    const { "accept-encoding": encoding, host: _, ...headers } = request.headers;
    const packed = isDocument || encoding === undefined ? {} : { "accept-encoding": encoding };
    const onward = send(url + request.url, { method: request.method, headers: { ...headers, ...packed } });
    onward.on("response", async (answer) => {
      const { "content-length": length, "transfer-encoding": __, ...kept } = answer.headers;
      if (/text\/html/.test(answer.headers["content-type"] ?? "")) {
        const whole = (await textOf(answer)).replace("<head>", `<head><script src="${FRONT_PATH}"></script>`);
        response.writeHead(answer.statusCode!, kept).end(whole);
      } else {
        response.writeHead(answer.statusCode!, { ...kept, ...(length !== undefined && { "content-length": length }) });
        answer.pipe(response);
      }
    });
    // As if nobody were there.
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, close };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  return Buffer.concat(parts).toString();
}
