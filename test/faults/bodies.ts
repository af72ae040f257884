import { gzipSync } from "node:zlib";
import { Random } from "../../src/numeric/random.js";
import { edgeApp } from "../../src/server/http/app.js";
import { ROUTES } from "../../src/server/http/table.js";
import { type FaultCase, progress } from "./case.js";
import { Host } from "./host.js";

const WORDS = [
  ...["user", "k", "kind", "time", "stream", "streamer", "category", "tags", "filter", "candidates", "version", "id"],
  ...["requests", "explain", "watchMs", "decision", "x", "__proto__", "constructor", "viewers", "language", "value"],
];
const KINDS = ["on_air", "update", "off_air", "impression", "click", "watch", "like", "heartbeat", "purchase", "x"];
const TYPES = [
  ...["application/json", "application/json", "application/json", "application/x-ndjson", "text/plain", ""],
  ...["application/json; charset=latin1", "application/octet-stream"],
];

/** Anything that JSON can say. */
function value(random: Random, depth: number): unknown {
  const which = random.below(depth > 3 ? 6 : 9);
  if (which === 0) return random.pick([0, -1, 1e308, 1.5, 2 ** 53, null, 1e12, 1e12 + 60_000, 3]);
  if (which === 1) return random.pick(["", "u1", "s1", "r1", "c1", "\u0000", "💥", "x".repeat(300), "__proto__"]);
  if (which === 2) return random.pick(KINDS);
  if (which === 3) return random.pick([true, false, null, []]);
  if (which < 6) return random.pick<unknown>([{}, [{}], [[]], { kind: "like", user: "u1", stream: "s1", time: 1e12 }]);
  if (which === 6) return Array.from({ length: random.below(4) }, () => value(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: random.below(6) }, () => [random.pick(WORDS), value(random, depth + 1)]),
  );
}

/** A request's init; bodies are JSON, JSON that is cut or changed, nested deep, or just bytes. */
function initOf(
  random: Random,
  method: string,
): { method: string; headers: Record<string, string>; body?: Buffer<ArrayBuffer> } {
  const headers: Record<string, string> = { "content-type": random.pick(TYPES) };
  if (random.bernoulli(0.1)) headers["idempotency-key"] = random.pick(["a", "b", "é b", "x".repeat(300)]);
  if (method === "GET") return { method, headers };
  const which = random.below(10);
  let body = Buffer.from(JSON.stringify(value(random, 0)) ?? "");
  if (which === 0) body = body.subarray(0, random.below(30));
  if (which === 1 && body.length > 0) body[random.below(body.length)] = random.below(256);
  if (which === 2) body = Buffer.from("[".repeat(random.below(2000)));
  if (which === 3) body = Buffer.from(Uint8Array.from({ length: random.below(200) }, () => random.below(256)));
  if (random.bernoulli(0.1)) {
    headers["content-encoding"] = random.pick(["gzip", "gzip", "br", "identity"]);
    if (headers["content-encoding"] === "gzip" && random.bernoulli(0.7)) body = gzipSync(body);
  }
  return { method, headers, body };
}

/**
 * Two servers: one is sent every body, the other those alone that the first one did not refuse. That the two are the same in
 * the end says that what was refused changed nothing.
 */
export const BODIES: FaultCase = {
  ...{ name: "fuzzed bodies", unit: "bodies", full: 100_000, few: 1500, part: 20_000 },
  async run(count, seed, tell) {
    const random = Random.named(seed, "bodies");
    const step = progress(tell, "bodies", count);
    const hosts = [await new Host().start(), await new Host().start()] as const;
    const apps = hosts.map((host) => edgeApp({ edge: host.edge, now: () => host.time }));
    for (const host of hosts) await host.air();
    const answers = new Map<number, number>();
    let failed = 0;
    for (let i = 0; i < count; i++) {
      const { method, path } = random.pick(ROUTES);
      const target = path.replace(/\{\w+\}/, random.pick(["s1", "u1", "zz", "%F0%9F%92%A5", "x".repeat(300)]));
      const init = initOf(random, method);
      for (const host of hosts) host.time += 1000;
      const ask = async (app: (typeof apps)[number]) => {
        const { status, body } = await app.fetch(new Request(`http://x${target}`, init as RequestInit));
        // One who watches goes at once.
        if (path === "/v1/watch") await body?.cancel();
        return status;
      };
      const status = await ask(apps[0]!);
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (status >= 500) {
        failed++;
        tell(`${status} for ${method} ${path}: ${JSON.stringify(init.body?.toString("latin1"))}`);
      }
      if (status < 300) {
        const twin = await ask(apps[1]!);
        if (twin !== status) throw new Error(`${method} ${path} was ${status}, and ${twin} on the twin`);
      }
      step(i + 1);
    }
    const [one, other] = [await hosts[0].hash(), await hosts[1].hash()];
    for (const host of hosts) await host.edge.close();
    tell(`answers: ${JSON.stringify(Object.fromEntries([...answers].sort(([a], [b]) => a - b)))}`);
    const refused = [...answers].reduce((sum, [status, n]) => sum + (status >= 400 ? n : 0), 0);
    return [
      { metric: "refused", value: refused, unit: "bodies" },
      { metric: "answers_5xx", value: failed, unit: "bodies", most: 0 },
      { metric: "states_changed_by_refused_bodies", value: Number(one !== other), unit: "states", most: 0 },
    ];
  },
};
