import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { type RequestHandler, requestListener, type ServeOptions, type Serving, serve } from "../../src/node/index.js";
import { ingest } from "../../src/server/index.js";
import { until } from "../support/waiting.js";

/** Says what it was asked, and reads the body to its end. */
const echo: RequestHandler = async (request) => {
  const { pathname, host } = new URL(request.url);
  const body = await request.text();
  return Response.json({ method: request.method, pathname, host, body }, { headers: { "x-cookie": "no" } });
};

const open: Serving[] = [];
afterEach(async () => {
  for (const serving of open.splice(0)) await serving.stop(0);
});

async function served(handler: RequestHandler, options: ServeOptions = {}): Promise<Serving> {
  const serving = await serve(handler, { port: 0, ...options });
  open.push(serving);
  return serving;
}

interface Connection {
  socket: Socket;
  said: () => string;
  closed: Promise<string>;
}

function raw({ port }: Serving, ...pieces: (string | Uint8Array)[]): Connection {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.on("data", (piece: Buffer) => {
    text += piece.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  for (const piece of pieces) socket.write(piece);
  return { socket, said: () => text, closed: new Promise((resolve) => socket.on("close", () => resolve(text))) };
}

/** Sends bytes and returns what comes until the connection ends, which the last request asks for. */
const answerTo = (serving: Serving, ...pieces: (string | Uint8Array)[]) => raw(serving, ...pieces).closed;
const request = (line: string, headers = "", body = "") =>
  `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`;
const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

describe("a target", () => {
  test.each([
    ["/", "/", "x"],
    ["//", "//", "x"],
    ["//evil.example/a", "//evil.example/a", "x"],
    ["///", "///", "x"],
    ["/a/../../b", "/b", "x"],
    ["/%2e%2e/%00", "/%00", "x"],
    ["/?//", "/", "x"],
    ["/\\a", "//a", "x"],
    ["http://other.example/p", "/p", "other.example"],
    ["HTTP://other.example:81", "/", "other.example:81"],
  ])("%s is the path %s of %s", async (target, pathname, host) => {
    const text = await answerTo(await served(echo), request(`POST ${target}`, "Content-Length: 0\r\n"));
    expect(statusesIn(text)).toEqual([200]);
    expect(JSON.parse(text.slice(text.indexOf("{")))).toMatchObject({ method: "POST", pathname, host });
  });

  test.each(["*", "a", "ftp://x/", "http://", "http://[", "http://u:p@x/", "http://x:99999/", "javascript:1"])(
    "%s is 400",
    async (target) => {
      const text = await answerTo(await served(echo), request(`POST ${target}`, "Content-Length: 0\r\n"));
      expect(statusesIn(text)).toEqual([400]);
    },
  );

  test.each(["Host: a\r\nHost: b", "Host: a/b", "Host: a@b", "Host: a b", "Host: [", "Host: a:b", "Nothing: 1"])(
    "with %j is 400",
    async (header) => {
      const text = await answerTo(await served(echo), `GET / HTTP/1.1\r\n${header}\r\nConnection: close\r\n\r\n`);
      expect(statusesIn(text)).toEqual([400]);
    },
  );
});

describe("a method", () => {
  test.each(["TRACE /", "TRACE //", "CONNECT x:1", "CONNECT /", "TRACE http://x/"])("%s is 501", async (line) => {
    expect(statusesIn(await answerTo(await served(echo), request(line)))).toEqual([501]);
  });

  test.each(["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "M-SEARCH", "QUERY"])(
    "%s is the handler's",
    async (m) => {
      const text = await answerTo(await served(echo), request(`${m} /`, "Content-Length: 0\r\n"));
      // Which of them its parser knows depends on Node.
      expect([[200], [400]]).toContainEqual(statusesIn(text));
    },
  );

  test("HEAD has the headers alone, GET drops its body", async () => {
    const serving = await served(() => new Response("hello", { headers: { "x-a": "1" } }));
    const head = await answerTo(serving, request("HEAD /"));
    expect(head).toMatch(/x-a: 1/);
    expect(head.endsWith("\r\n\r\n")).toBe(true);
    const get = await answerTo(serving, request("GET /", "Content-Length: 3\r\n", "abc"));
    expect(get).toMatch(/hello$/);
  });
});

describe("a body", () => {
  const post = (headers: string, body = "") => request("POST /", headers, body);

  test.each<[string, string, number]>([
    ["whole", post("Content-Length: 3\r\n", "abc"), 200],
    ["in chunks", post("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"), 200],
    ["in broken chunks", post("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n"), 400],
    ["in chunks of no size", post("Transfer-Encoding: chunked\r\n", "zz\r\n"), 400],
    ["in chunks of 2^64", post("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n"), 400],
    ["of two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400],
    ["of length and chunks", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400],
    ["of negative length", post("Content-Length: -1\r\n", ""), 400],
    ["of length 1e3", post("Content-Length: 1e3\r\n", ""), 400],
    ["beyond the limit", post("Content-Length: 1001\r\n", ""), 413],
    ["beyond all limits", post("Content-Length: 99999999999999999999\r\n", ""), 400],
    ["in chunks beyond the limit", post("Transfer-Encoding: chunked\r\n", `3e9\r\n${"x".repeat(1001)}\r\n`), 413],
  ])("%s is answered", async (_, text, status) => {
    const said = statusesIn(await answerTo(await served(echo, { maxBytes: 1000 }), text));
    // Where a part was sent before the fault, the handler's answer or the connection's end comes instead.
    expect(said).toEqual([status]);
  });

  test("that stalls is 408 in time, and its reader is told", async () => {
    let failed: unknown;
    const serving = await served(
      (request) =>
        request.text().then(
          () => new Response(),
          (error) => {
            failed = error;
            throw error;
          },
        ),
      { bodyTimeoutMs: 60 },
    );
    const text = await answerTo(serving, request("POST /", "Content-Length: 5\r\n", "ab"));
    expect(statusesIn(text)).toEqual([408]);
    await until(() => failed !== undefined);
  });

  test("that drips is 408 in time as well", async () => {
    const { socket, closed } = raw(
      await served(echo, { bodyTimeoutMs: 100 }),
      request("POST /", "Content-Length: 9999\r\n"),
    );
    const drip = setInterval(() => socket.write("x"), 10);
    expect(statusesIn(await closed)).toEqual([408]);
    clearInterval(drip);
  });

  test("larger than a refusal's reader wants: the answer arrives before the connection ends", async () => {
    const serving = await served(echo, { maxBytes: 1000 });
    for (let i = 0; i < 5; i++) {
      const text = await answerTo(serving, request("POST /", "Content-Length: 4000000\r\n"), new Uint8Array(4_000_000));
      expect(statusesIn(text)).toEqual([413]);
    }
  });

  test("is read at the handler's pace", async () => {
    let release = () => {};
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    const serving = await served(
      async (request) => {
        await wait;
        return new Response(String((await request.arrayBuffer()).byteLength));
      },
      { maxBytes: 1e9 },
    );
    const size = 50_000_000;
    const { socket, closed } = raw(serving, request("POST /", `Content-Length: ${size}\r\n`), new Uint8Array(size));
    await until(() => socket.bytesWritten > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What the kernel holds, and no more, has left the client.
    expect(socket.writableLength).toBeGreaterThan(0);
    release();
    expect(await closed).toMatch(/50000000$/);
  });

  test("cut off ends the request's signal, and the server serves on", async () => {
    let isAborted = false;
    const serving = await served(async (request) => {
      request.signal.addEventListener("abort", () => {
        isAborted = true;
      });
      return new Response(await request.text());
    });
    const { socket } = raw(serving, request("POST /", "Content-Length: 9\r\n", "abc"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
    await until(() => isAborted);
    expect(statusesIn(await answerTo(serving, request("GET /")))).toEqual([200]);
  });
});

describe("a connection", () => {
  test("with headers that stall, or that says nothing, is closed in time", async () => {
    const serving = await served(echo, { headersTimeoutMs: 80, keepAliveMs: 80, idleTimeoutMs: 300 });
    const [stalls, silent] = [raw(serving, "GET / HTTP/1.1\r\nHost:"), raw(serving)];
    expect(statusesIn(await stalls.closed)).toEqual([408]);
    expect([[], [408]]).toContainEqual(statusesIn(await silent.closed));
    const drips = raw(serving, "GET / HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => drips.socket.write("a: b\r\n"), 10);
    expect(statusesIn(await drips.closed)).toEqual([408]);
    clearInterval(drip);
  });

  test("with oversized headers is 431, with garbage 400", async () => {
    const serving = await served(echo, { maxHeaderBytes: 4096 });
    expect(statusesIn(await answerTo(serving, request("GET /", `a: ${"x".repeat(5000)}\r\n`)))).toEqual([431]);
    expect(statusesIn(await answerTo(serving, request(`GET /${"x".repeat(5000)}`)))).toEqual([431]);
    expect(statusesIn(await answerTo(serving, request("GET /", "abcdef: 123456\r\n".repeat(900))))).toEqual([431]);
    for (const text of [
      "\0\0\0\0",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\x16\x03\x01\x02\x00",
      "GET / HTTP/1.1\nHost: x\n\n",
    ]) {
      expect(statusesIn(await answerTo(serving, text))[0], JSON.stringify(text)).toBe(400);
    }
  });

  test("that goes half-open after its requests gets all answers, in order, however slow the first is", async () => {
    const serving = await served(async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/1") await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response(`<${pathname}>`);
    });
    const { socket, closed } = raw(serving);
    const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.end(`${["/1", "/2", "/3"].map(line).join("")}${request("GET /4")}`);
    expect([...(await closed).matchAll(/<(.*)>/g)].map(([, path]) => path)).toEqual(["/1", "/2", "/3", "/4"]);
  });

  test("that pipelines more than the server takes at once is told so", async () => {
    const serving = await served(() => new Promise((resolve) => setTimeout(() => resolve(new Response("ok")), 30)), {
      maxRequests: 4,
    });
    const lines = `GET / HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3);
    const text = await answerTo(serving, `${lines}${lines}${request("GET /")}`);
    expect(statusesIn(text).slice(0, 5)).toEqual([200, 200, 200, 200, 503]);
    expect(text).toMatch(/retry-after: 1/);
  });

  test("that never reads its answer is closed", async () => {
    const serving = await served(() => new Response(new Uint8Array(50_000_000)), { idleTimeoutMs: 100 });
    const { socket } = raw(serving);
    socket.pause();
    socket.write(request("GET /"));
    let count = 1;
    await until(() => {
      (serving.server as Server).getConnections((_, n) => {
        count = n;
      });
      return count === 0 && socket.bytesWritten > 0;
    });
    socket.destroy();
  });

  test("beyond the limit is closed at once", async () => {
    const serving = await served(echo, { maxConnections: 2 });
    const two = [raw(serving), raw(serving)];
    await Promise.all(two.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await answerTo(serving, request("GET /"))).toBe("");
    for (const { socket } of two) socket.destroy();
  });

  test("may say anything at all, and the server serves on", async () => {
    const serving = await served(echo, { headersTimeoutMs: 200, bodyTimeoutMs: 200, keepAliveMs: 100 });
    const word = fc.constantFrom(
      ..."GET|POST|TRACE|CONNECT|PRI|/|//|*|http://|HTTP/1.1|HTTP/1.0|HTTP/2.0|\r\n|\r\n\r\n|Host: x|Host:|:".split(
        "|",
      ),
      ..."Content-Length: 3|Content-Length: -|Transfer-Encoding: chunked|Expect: 100-continue|Expect: x".split("|"),
      ..."Upgrade: websocket|Connection: upgrade|3\r\nabc\r\n|0\r\n\r\n| |\0|\xff".split("|"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 14 }), async (words) => {
        const { socket, closed } = raw(serving, Buffer.from(words.join(""), "latin1"));
        socket.end();
        await closed;
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(statusesIn(await answerTo(serving, request("GET /")))).toEqual([200]);
  });
});

describe("a server with too much to do", () => {
  const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

  test("takes the first requests of a turn, sends those behind away at once, and answers whoever watches it", async () => {
    let taken = 0;
    const work: RequestHandler = () => {
      taken++;
      // On the CPU, as a recommendation is.
      for (const until = performance.now() + 5; performance.now() < until; );
      return new Response("done");
    };
    const serving = await served(work, { maxTurnMs: 1, urgentPaths: ["/live"] });
    const all = Array.from({ length: 20 }, () => raw(serving));
    await Promise.all(all.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    // In one turn of this thread, so that the server reads them in one turn too.
    for (const [i, { socket }] of all.entries()) socket.write(line(i === 19 ? "/live?x" : "/"));
    const answers = await Promise.all(all.map(({ closed }) => closed));
    const statuses = answers.map((text) => statusesIn(text)[0]);
    expect(statuses.at(-1)).toBe(200);
    expect(statuses.filter((status) => status === 200).length).toBe(taken);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(5);
    expect(answers.find((text) => statusesIn(text)[0] === 503)).toMatch(/retry-after: 1/);
    // Afterwards it takes them again.
    expect(statusesIn(await answerTo(serving, line("/")))).toEqual([200]);
  });

  test("tells its handler who asks", async () => {
    const serving = await served((_, { address }) => new Response(address));
    expect(await answerTo(serving, line("/"))).toMatch(/127\.0\.0\.1$/);
  });
});

test("a server that stops answers who sends on an idle connection while it lingers, and ends that connection", async () => {
  const serving = await served(echo);
  const [first, idle] = [raw(serving), raw(serving)];
  const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const { socket } of [first, idle]) socket.write(get);
  await until(() => [first, idle].every(({ said }) => statusesIn(said()).length === 1));
  const stopped = serving.stop(60_000, 500);
  first.socket.write(get);
  const text = await first.closed;
  expect(statusesIn(text)).toEqual([200, 200]);
  expect(text.split("HTTP/1.1").at(-1)).toMatch(/connection: close/i);
  // The other says nothing, and ends with the linger.
  expect(statusesIn(await idle.closed)).toEqual([200]);
  await stopped;
});

describe("a handler", () => {
  test.each<[string, RequestHandler]>([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
    ["returns nothing", () => undefined as unknown as Response],
    ["returns an error response", () => Response.error()],
    [
      "gives a body that fails at once",
      () => new Response(new ReadableStream({ start: (c) => c.error(new Error("secret")) })),
    ],
    ["gives a body of no bytes", () => new Response(new ReadableStream({ start: (c) => c.enqueue("secret") }))],
  ])("that %s is 500 without details, and is told to onError", async (_, handler) => {
    const errors: unknown[] = [];
    const serving = await served(handler, { onError: (error) => errors.push(error) });
    const text = await answerTo(serving, request("GET /"));
    expect(statusesIn(text)).toEqual([500]);
    expect(text).not.toContain("secret");
    expect(errors).toHaveLength(1);
  });

  test("that never answers is 503 in time", async () => {
    const text = await answerTo(await served(() => new Promise(() => {}), { answerTimeoutMs: 50 }), request("GET /"));
    expect(statusesIn(text)).toEqual([503]);
    expect(text).toMatch(/retry-after/);
  });

  test("may stream, set cookies, and say any status; headers of the connection are the server's", async () => {
    const headers = new Headers({
      "x-a": "1",
      connection: "keep-alive",
      "content-length": "99",
      "transfer-encoding": "x",
    });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    const pieces = ["one ", "two ", "three"];
    const serving = await served(({ url }) => {
      if (url.endsWith("/none")) return new Response(null, { status: 204, headers });
      const source = new ReadableStream({
        pull(controller) {
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      });
      return new Response(source, { status: 299, headers });
    });
    const text = await answerTo(serving, request("GET /"));
    expect(statusesIn(text)).toEqual([299]);
    for (const line of ["set-cookie: a=1", "set-cookie: b=2", "x-a: 1", "Transfer-Encoding: chunked", "three"]) {
      expect(text).toContain(line);
    }
    expect(text).not.toContain("content-length");
    const none = await answerTo(serving, request("GET /none"));
    expect(none.endsWith("\r\n\r\n")).toBe(true);
  });

  test("that streams without an end is heard piece by piece, and told when nobody listens any more", async () => {
    let isCancelled = false;
    const source = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
      cancel: () => {
        isCancelled = true;
      },
    });
    const { socket, said } = raw(await served(() => new Response(source), { answerTimeoutMs: 50 }), request("GET /"));
    await until(() => said().includes("data: 1"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isCancelled).toBe(false);
    // An end alone would be that of a client which only listens on.
    socket.resetAndDestroy();
    await until(() => isCancelled);
  });

  test("whose body fails midway ends the connection, so that nobody takes it as whole", async () => {
    let turn = 0;
    const source = () =>
      new ReadableStream({
        pull(controller) {
          if (turn++ < 3) controller.enqueue(new Uint8Array(10));
          else controller.error(new Error("secret"));
        },
      });
    const text = await answerTo(await served(() => new Response(source())), request("GET /"));
    expect([[], [200]]).toContainEqual(statusesIn(text));
    expect(text.endsWith("0\r\n\r\n")).toBe(false);
  });
});

describe("stop", () => {
  test("lets a request that has begun end, closes idle connections, and takes no new ones", async () => {
    let release = (_: Response) => {};
    const answer = new Promise<Response>((resolve) => {
      release = resolve;
    });
    let calls = 0;
    const serving = await served(({ url }) => {
      calls++;
      return url.endsWith("/slow") ? answer : new Response("quick");
    });
    const idle = raw(serving, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const busy = raw(serving, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => calls === 2 && idle.said().includes("quick"));
    const stopped = serving.stop();
    await idle.closed;
    expect(await answerTo(serving, request("GET /"))).toBe("");
    release(new Response("slow"));
    expect(await busy.closed).toMatch(/Connection: close[\s\S]*slow$/i);
    await stopped;
    await serving.stop();
    expect(calls).toBe(2);
  });

  test("ends what does not end in time", async () => {
    const serving = await served(() => new Promise(() => {}));
    const busy = raw(serving, request("GET /"), "POST / HTTP/1.1\r\n");
    await until(() => busy.socket.bytesWritten > 0);
    await serving.stop(50);
    expect(await busy.closed).toBe("");
  });
});

test("ingest behind it takes events, and a listener alone does", async () => {
  const taken: unknown[] = [];
  const handler = ingest({ sink: (events) => void taken.push(...events) });
  const event = '{"kind":"click","time":1,"user":"u","stream":"s"}';
  const type = "Content-Type: application/json\r\n";
  const text = request("POST /events", `${type}Content-Length: ${event.length}\r\n`, event);
  expect(statusesIn(await answerTo(await served(handler), text))).toEqual([200]);
  const server = createServer(requestListener(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  expect(statusesIn(await answerTo({ port } as Serving, text))).toEqual([200]);
  expect(statusesIn(await answerTo({ port } as Serving, request("TRACE /")))).toEqual([501]);
  server.close();
  expect(taken).toHaveLength(2);
});

test("options are checked; a used port is an error", async () => {
  await expect(serve(echo, { ports: 1 } as ServeOptions)).rejects.toThrow('"ports" is not an option');
  await expect(serve(echo, { port: 65_536 })).rejects.toThrow('"port" must be an integer in [0, 65535], got 65536');
  expect(() => requestListener(echo, { maxBytes: 0 })).toThrow('"maxBytes" must be');
  const { port } = await served(echo);
  await expect(serve(echo, { port })).rejects.toThrow("EADDRINUSE");
});
