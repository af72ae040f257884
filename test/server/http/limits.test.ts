import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { memoryEdge } from "../../../src/server/edge/memory.js";
import { edgeApp } from "../../../src/server/http/app.js";
import { clientOf, RateLimits } from "../../../src/server/http/limits.js";
import type { Answered, EdgeAppOptions } from "../../../src/server/http/options.js";

describe("token buckets", () => {
  test("let a client have its burst, then its rate, and say when to come again", () => {
    const limits = new RateLimits({ rate: 2, burst: 3 });
    expect([1, 2, 3, 4].map(() => limits.take("a", 0))).toEqual([0, 0, 0, 1]);
    expect(limits.take("b", 0)).toBe(0);
    expect([limits.take("a", 499), limits.take("a", 500), limits.take("a", 501)]).toEqual([1, 0, 1]);
    expect([1, 2, 3, 4].map(() => limits.take("a", 60_000))).toEqual([0, 0, 0, 1]);
    expect(new RateLimits({ rate: 0.1, burst: 1 }).take("a", 0)).toBe(0);
    const slow = new RateLimits({ rate: 0.1, burst: 1 });
    slow.take("a", 0);
    expect(slow.take("a", 1000)).toBe(9);
  });

  test("let through what a count of every request by hand lets through", () => {
    const random = new Random(4);
    const limits = new RateLimits({ rate: 5, burst: 4 });
    const naive = new Map<string, { level: number; at: number }>();
    for (let i = 0, now = 0; i < 5000; i++) {
      now += random.below(100);
      const client = `c${random.below(5)}`;
      const own = naive.get(client) ?? { level: 4, at: now };
      own.level = Math.min(4, own.level + ((now - own.at) / 1000) * 5);
      own.at = now;
      naive.set(client, own);
      const isFree = own.level >= 1;
      if (isFree) own.level--;
      expect(limits.take(client, now) === 0).toBe(isFree);
    }
  });

  test("are bounded in number, and no number of clients is a way around them", () => {
    const limits = new RateLimits({ rate: 1, burst: 2, clients: 10 });
    let taken = 0;
    for (let i = 0; i < 100_000; i++) if (limits.take(`address ${i}`, 0) === 0) taken++;
    expect([limits.size, taken]).toEqual([10, 10 + 2]);
    // Those with a place keep it.
    expect([limits.take("address 3", 0), limits.take("address 3", 0)]).toEqual([0, 1]);
    // A place whose bucket is full again goes to a newcomer.
    expect([limits.take("new", 5000), limits.take("new", 5000), limits.take("new", 5000), limits.size]).toEqual([
      ...[0, 0, 1, 10],
    ]);
  });

  test("give nothing when the clock goes back", () => {
    const limits = new RateLimits({ rate: 1, burst: 1 });
    expect([limits.take("a", 1e6), limits.take("a", 0), limits.take("a", 999), limits.take("a", 1000)]).toEqual([
      ...[0, 1, 1, 0],
    ]);
    expect(new RateLimits({}).take("a", 0)).toBe(0);
    expect(() => new RateLimits({ rate: -1 })).toThrow('"limits.rate" must be a finite number >= 0, got -1');
    expect(() => new RateLimits({ bursts: 1 } as object)).toThrow('"limits.bursts" is not an option');
  });

  test("know a client by its address, an IPv6 one by its network", () => {
    expect(
      [
        "203.0.113.7",
        "::ffff:203.0.113.7",
        "::1",
        "2001:db8:0:5::1",
        "2001:DB8::5:1:2:3:4",
        "fe80::1%eth0",
        undefined,
      ].map(clientOf),
    ).toEqual([
      ...[
        "203.0.113.7",
        "203.0.113.7",
        "0:0:0:0::/64",
        "2001:db8:0:5::/64",
        "2001:db8:0:5::/64",
        "fe80:0:0:0::/64",
        "",
      ],
    ]);
    expect(clientOf(`${"1:".repeat(1e5)}`).length).toBeLessThan(80);
  });
});

describe("a server", () => {
  const SECRET = "0123456789abcdef";
  const serverOf = async (options: Partial<EdgeAppOptions>) => {
    let time = 1e12;
    const edge = await memoryEdge({ recommender: { seed: 1 }, now: () => time });
    const app = edgeApp({ edge, now: () => time, ...options });
    const ask = async (path: string, address?: string, headers: Record<string, string> = {}, method = "GET") => {
      const response = await app.fetch(new Request(`http://x${path}`, { method, headers }), { address });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    return { ask, close: () => edge.close(), pass: (ms: number) => (time += ms) };
  };

  test("answers 429 with Retry-After beyond the rate: by address, and by token once it is known", async () => {
    const { ask, close, pass } = await serverOf({
      tokens: [{ secret: SECRET, scopes: ["read"] }],
      limits: { rate: 1, burst: 2 },
    });
    const right = { authorization: `Bearer ${SECRET}` };
    const statuses = async (count: number, address: string, headers = {}) => {
      const found: number[] = [];
      for (let i = 0; i < count; i++) found.push((await ask("/v1/stats", address, headers)).status);
      return found;
    };
    expect(await statuses(4, "203.0.113.7")).toEqual([401, 401, 429, 429]);
    // Guessed tokens are counted by their address too, whatever they are.
    const guesses = [1, 2, 3].map((i) => ask("/v1/stats", "203.0.113.8", { authorization: `Bearer ${i}${SECRET}` }));
    expect((await Promise.all(guesses)).map(({ status }) => status)).toEqual([401, 401, 429]);
    // A right token has its own count after its first request, from wherever it comes.
    expect(await statuses(3, "203.0.113.9", right)).toEqual([200, 200, 200]);
    expect(await statuses(2, "203.0.113.10", right)).toEqual([429, 429]);
    const refused = await ask("/v1/stats", "203.0.113.7");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(JSON.parse(refused.text).error.message).toBe("too many requests of this client: try again later");
    // Whoever watches the server may always ask.
    expect((await ask("/live", "203.0.113.7")).status).toBe(200);
    pass(1000);
    expect(await statuses(2, "203.0.113.7", right)).toEqual([200, 429]);
    pass(60_000);
    expect((await ask("/metrics", "203.0.113.7", right)).text).toMatch(
      /^liveq_requests_sent_away_total\{reason="rate"\} 7$/m,
    );
    await close();
  });

  test("names each request, tells of each answer by its route, and never by its path", async () => {
    const told: Answered[] = [];
    const { ask, close } = await serverOf({ onAnswer: (answer) => told.push(answer) });
    const own = await ask("/v1/users/somebody", undefined, { "x-request-id": "trace-1" });
    expect(own.headers.get("x-request-id")).toBe("trace-1");
    const made = await ask("/live", undefined, { "x-request-id": "x".repeat(65) });
    expect(made.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    await ask("/nothing");
    await ask("/v1/events", undefined, {}, "PUT");
    expect(told.map(({ method, route, status }) => [method, route, status])).toEqual([
      ["GET", "/v1/users/{user}", 404],
      ["GET", "/live", 200],
      ["GET", "", 404],
      ["PUT", "", 405],
    ]);
    expect(JSON.stringify(told)).not.toContain("somebody");
    expect([told[0]!.id, told[1]!.id]).toEqual(["trace-1", made.headers.get("x-request-id")]);
    await close();
  });

  test("gives Prometheus every figure that its operators need", async () => {
    const { ask, close } = await serverOf({
      figures: () => [
        { name: "process_up", help: "Of the host.", value: 1, labels: { thread: "a" } },
        { name: "process_up", help: "Of the host.", value: 2, labels: { thread: "b" } },
      ],
    });
    await ask("/v1/stats");
    const { text } = await ask("/metrics");
    for (const name of [
      ...["request_seconds_bucket", "requests_total", "events_refused_total", "requests_in_hand", "log_waiting_bytes"],
      ...["learner_behind_records", "learner_updates", "gradient_norm", "watchers", "learner_transitions", "loss"],
      ...["q_mean", "td_error_p50", "first_places_propensity_total"],
      ...["log_commit_seconds_bucket", "log_commit_seconds_count", "log_commit_seconds_max"],
      ...["model_version", "model_age_seconds", "requests_sent_away_total"],
    ]) {
      expect(text, name).toContain(`liveq_${name}`);
    }
    expect(text).toContain(
      '# TYPE liveq_process_up gauge\nliveq_process_up{thread="a"} 1\nliveq_process_up{thread="b"} 2\n',
    );
    // Every name has one head.
    const heads = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(heads).size).toBe(heads.length);
    await close();
  });
});
