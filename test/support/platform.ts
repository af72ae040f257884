import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Answers = (request: IncomingMessage, response: ServerResponse, path: string) => void;

/** A platform on this machine that answers as it is told. */
export class FakePlatform {
  readonly server: Server;
  /** `METHOD path?query` of each request, in their order. */
  readonly asked: string[] = [];
  /** Headers of the last request. */
  headers: IncomingMessage["headers"] = {};
  answers: Answers = (_, response) => response.writeHead(404).end();

  private constructor() {
    this.server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      this.headers = request.headers;
      this.answers(request, response, new URL(request.url!, "http://x").pathname);
    });
  }

  static async open(): Promise<FakePlatform> {
    const platform = new FakePlatform();
    await new Promise<void>((listening) => platform.server.listen(0, "127.0.0.1", listening));
    return platform;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Answers paths with JSON, others with 404. */
  json(bodies: Readonly<Record<string, unknown>>, headers: Record<string, string> = {}): void {
    this.answers = (_, response, path) => {
      if (!Object.hasOwn(bodies, path)) return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(bodies[path]));
    };
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
