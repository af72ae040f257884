import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { liveq } from "../support/command.js";
import { learnerHash } from "../support/learned.js";
import { Served } from "../support/served.js";

const KILLS = Number(process.env["SERVER_KILLS"] ?? 4);
/** Options of a recommender that learns within a few requests. */
const SEED = 5;

let folder: string;
beforeAll(() => {
  mkdirSync(".build", { recursive: true });
  folder = mkdtempSync(resolve(".build", "serve-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const served = (...words: string[]) => new Served(words, { cwd: folder });

describe("liveq serve", () => {
  test(`loses nothing that it acknowledged, and counts nothing twice, over ${KILLS} kills and two stops`, async () => {
    const dir = join(folder, "killed");
    const random = new Random(8);
    const acknowledged: LiveEvent[] = [];
    let [sent, decisions] = [0, new Set<string>()];
    for (let life = 0; life < KILLS + 2; life++) {
      const server = await served("--dir", dir, "--seed", String(SEED)).start();
      if (life === 0) {
        for (let i = 0; i < 4; i++) {
          await server.ask("PUT", `/v1/streams/s${i}`, { streamer: `r${i}`, category: "c" });
        }
      } else {
        // What was acknowledged is known, over the kill.
        const again = await server.ask("POST", "/v1/events", acknowledged);
        expect(again.body).toMatchObject({ accepted: 0, duplicates: acknowledged.length });
      }
      const isKilled = life !== 1 && life !== 3;
      const end = setTimeout(() => isKilled && server.child.kill("SIGKILL"), 40 + random.below(300));
      const work = async () => {
        for (let i = 0; i < (isKilled ? 10_000 : 20); i++) {
          const { body } = await server.ask("POST", "/v1/recommend", { user: `u${random.below(9)}`, k: 2 });
          expect(decisions.has(body.id)).toBe(false);
          decisions.add(body.id);
          const events = body.slate.map((stream: string): LiveEvent => {
            return { kind: "click", time: Date.now(), user: body.user, stream, decision: body.id, id: `e${sent++}` };
          });
          const { status } = await server.ask("POST", "/v1/events", events);
          if (status === 200) acknowledged.push(...events);
        }
      };
      // Requests fail when it is killed.
      await Promise.all([work(), work(), work()]).catch((error) => expect(error).toBeInstanceOf(TypeError));
      clearTimeout(end);
      if (isKilled) await server.stop("SIGKILL");
      else expect(await server.stop("SIGTERM")).toBe(0);
    }
    console.log(`${acknowledged.length} acknowledged events of ${sent}, ${decisions.size} decisions`);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(readdirSync(join(dir, "checkpoints"))).toHaveLength(2);
    // Two checkpoints and the rest of the log are the whole log.
    expect(await learnerHash(dir, SEED)).toBe(await learnerHash(dir, SEED, "log"));
  });

  test("lists its models to liveq models, which goes back to one, and says why where it cannot", async () => {
    const server = await new Served(["--memory"]).start();
    const listed = await liveq("models", "--url", server.url);
    expect(listed).toMatchObject({ code: 0, out: expect.stringMatching(/version .*\n +0 .* answers\n$/) });
    expect((await liveq("models", "--url", server.url, "--rollback", "0")).out).toContain(
      "answers, and newer ones wait",
    );
    expect((await liveq("models", "--url", server.url, "--release")).out).toMatch(/ answers\n$/);
    const wrong = await liveq("models", "--url", server.url, "--rollback", "7");
    expect(wrong).toMatchObject({
      code: 1,
      err: expect.stringContaining('answers 400: "version" must be one of 0, got 7'),
    });
    expect((await liveq("models", "--url", server.url, "--rollback", "x")).code).toBe(2);
    await server.stop("SIGTERM");
    expect(await liveq("models", "--url", server.url)).toMatchObject({
      code: 1,
      err: expect.stringContaining("cannot be reached"),
    });
  });

  test("what came with an idempotency key alone counts once, over kills", async () => {
    const dir = join(folder, "keys");
    const time = Date.now();
    const calls = [
      ["PUT", "/v1/streams/s1", { streamer: "ann", category: "chess" }],
      ["PATCH", "/v1/streams/s1", { viewers: 7 }],
      [
        "POST",
        "/v1/events",
        [
          { kind: "like", time, user: "u1", stream: "s1" },
          { kind: "like", time, user: "u2", stream: "s1" },
        ],
      ],
      ["POST", "/v1/rank", { actions: [{ id: "a" }, { id: "b" }], exploration: { policy: "epsilon", epsilon: 1 } }],
      ["PUT", "/v1/streams/s2", { streamer: "bob" }],
      ["DELETE", "/v1/streams/s2", undefined],
    ] as const;
    const all = async (server: Served) => {
      const answers: unknown[] = [];
      for (const [i, [method, path, body]] of calls.entries()) {
        const { status, body: answer } = await server.ask(method, path, body, { "idempotency-key": `key-${i}` });
        expect(status).toBe(200);
        answers.push(answer);
      }
      return answers;
    };
    let server = await served("--dir", dir).start();
    const first = await all(server);
    expect(first[0]).toEqual({ answer: "taken" });
    expect(first[2]).toMatchObject({ accepted: 2 });
    for (let life = 0; life < 2; life++) {
      await server.stop("SIGKILL");
      server = await served("--dir", dir).start();
      const again = await all(server);
      expect(again[2]).toMatchObject({ accepted: 0, duplicates: 2 });
      expect([again[0], again[1], again[4], again[5]]).toEqual(new Array(4).fill({ answer: "duplicate" }));
      // The same event, with the action that was chosen then.
      expect(again[3]).toEqual(first[3]);
      const { body } = await server.ask("GET", "/v1/stats");
      expect(body.recommender).toMatchObject({ onAir: 1 });
      expect((await server.ask("GET", "/v1/rank")).body.choices).toBe(1);
    }
    // Another body under a key that was forgotten is another event, or a conflict; it is never lost without a word.
    const other = await server.ask("PUT", "/v1/streams/s3", { streamer: "cy" }, { "idempotency-key": "key-0" });
    expect([200, 422]).toContain(other.status);
    const [event] = calls[2][2] as unknown as [object];
    await server.stop("SIGKILL");
    server = await served("--dir", dir).start();
    const wrong = await server.ask("POST", "/v1/events", [{ ...event, time: time + 1 }], {
      "idempotency-key": "key-2",
    });
    expect([wrong.status, wrong.body.faults[0].answer]).toEqual([422, "conflict"]);
    await server.stop("SIGTERM");
  });

  test("forgets a user on the disk too: no byte of the name is left", async () => {
    const dir = join(folder, "forgets");
    const server = await served("--dir", dir).start();
    await server.ask("PUT", "/v1/streams/s1", { streamer: "ann", category: "chess" });
    const name = "somebody-with-a-name";
    const about = async (user: string) => {
      const { body } = await server.ask("POST", "/v1/recommend", { user, k: 1 });
      await server.ask("POST", "/v1/events", [
        { kind: "click", time: Date.now(), user, stream: "s1", decision: body.id },
      ]);
    };
    const onDisk = () =>
      readdirSync(dir, { recursive: true, encoding: "utf8" })
        .map((file) => join(dir, file))
        .filter((file) => statSync(file).isFile() && readFileSync(file).includes(name));
    for (let i = 0; i < 20; i++) await about(i % 2 === 0 ? name : `other${i}`);
    expect(onDisk().length).toBeGreaterThan(0);
    expect((await server.ask("DELETE", `/v1/users/${name}`)).body).toEqual({ wasKnown: true });
    expect(onDisk()).toEqual([]);
    await about("other1");
    expect(await server.stop("SIGTERM")).toBe(0);
    expect(onDisk()).toEqual([]);
    const again = await served("--dir", dir).start();
    expect((await again.ask("GET", `/v1/users/${name}`)).status).toBe(404);
    expect((await again.ask("GET", "/v1/users/other1")).status).toBe(200);
    await again.stop("SIGTERM");
  });

  test("is for one process, refuses strangers without a token, and says what is wrong with options", async () => {
    const dir = join(folder, "one");
    const server = await served("--dir", dir).start();
    const second = served("--dir", dir);
    expect((await second.ended)[0]).toBe(1);
    expect(second.told).toMatch(/process \d+ is writing it/);
    expect(await server.stop("SIGINT")).toBe(0);
    expect(server.told).toContain("stopped; all that was taken is saved");
    for (const [words, message] of [
      [["--host", "0.0.0.0"], 'give a "--token", or LIVEQ_TOKEN'],
      [["--token", "short"], "at least 16 characters, got 5"],
      [["--token", "0123456789abcdef=all"], "must be of recommend, events, read, admin, got all"],
      [["--options", "nothing.json"], "must hold the recommender's options as JSON"],
    ] as const) {
      const wrong = served("--dir", join(folder, "wrong"), ...words);
      expect([(await wrong.ended)[0], wrong.told]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(readdirSync(folder)).not.toContain("wrong");
  });

  test("tells of itself as JSON, a line each, and of each answer by its route, never by a user", async () => {
    const dir = join(folder, "journal");
    const server = await served("--dir", dir, "--linger-ms", "0").start();
    await server.stop("SIGTERM");
    const again = served("--dir", dir, "--log-format", "json", "--log-level", "debug", "--linger-ms", "0");
    const find = async (pattern: RegExp) => {
      for (let found = pattern.exec(again.told); ; found = pattern.exec(again.told)) {
        if (found) return found[1]!;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    again.url = await find(/"url":"([^"]+)"/);
    expect((await again.ask("GET", "/v1/users/somebody")).status).toBe(404);
    await find(/("event":"request")/);
    expect(await again.stop("SIGTERM")).toBe(0);
    const lines = again.told
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines)
      expect(line).toMatchObject({ time: expect.stringMatching(/Z$/), level: expect.any(String) });
    expect(lines.map(({ event }) => event)).toEqual([
      ...["started", "hint", "request", "stopping", "checkpoint", "stopped"],
    ]);
    expect(lines[2]).toMatchObject({ route: "/v1/users/{user}", status: 404, method: "GET", id: expect.any(String) });
    expect(again.told).not.toContain("somebody");
  });

  test("waits for the folder of a server that stops, and goes on where that ended", async () => {
    const dir = join(folder, "waits");
    const server = await served("--dir", dir, "--linger-ms", "0").start();
    await server.ask("PUT", "/v1/streams/s1", { streamer: "ann", category: "chess" });
    const next = served("--dir", dir, "--wait-ms", "60000");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(next.told).toBe("");
    await server.stop("SIGTERM");
    await next.start();
    expect(next.told).toContain("0 users, 1 streams on air");
    await next.stop("SIGKILL");
  });
});
