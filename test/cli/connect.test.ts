import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as owncast from "../logs/connectors/owncast.js";
import * as peertube from "../logs/connectors/peertube.js";
import { FakePlatform } from "../support/platform.js";
import { Served } from "../support/served.js";

const KEY = "owncast-key-0123456789";

let folder: string;
let platform: FakePlatform;
beforeAll(async () => {
  mkdirSync(".build", { recursive: true });
  folder = mkdtempSync(resolve(".build", "connect-"));
  platform = await FakePlatform.open();
});
afterAll(async () => {
  await platform.close();
  rmSync(folder, { recursive: true, force: true });
});

test("liveq serve --connect follows platforms, over a restart, and recommends their streams", async () => {
  const words = ["--dir", join(folder, "data"), "--connect-every", "1", "--connect", `owncast=${platform.url}`];
  words.push(`peertube=${platform.url}`);
  // A slate has one stream of a channel.
  const other = peertube.video(2, { channel: { name: "deck", host: "video.example" } });
  const lists = { "/api/v1/videos": peertube.list([peertube.video(1), other]) };
  platform.json({ ...lists, "/api/status": owncast.status(), "/api/config": owncast.config() });
  const [live, first, second] = [
    `owncast:${platform.host}`,
    ...[1, 2].map((n) => `peertube:${platform.host}/${peertube.uuid(n)}`),
  ] as [string, string, string];
  const slateOf = async (server: Served) => {
    const { body } = await server.ask("POST", "/v1/recommend", { user: "u1", k: 9 });
    return [...body.slate].sort();
  };
  const until = async (server: Served, streams: string[]) => {
    while (JSON.stringify(await slateOf(server)) !== JSON.stringify(streams)) {
      if (server.child.exitCode !== null) throw new Error(server.told);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const env = { LIVEQ_OWNCAST_KEY: KEY };
  const server = await new Served(words, { cwd: folder, env }).start();
  await until(server, [live, first, second]);
  const hook = (key: string) => server.ask("POST", `/v1/connect/owncast?key=${key}`, owncast.HOOKS.stopped());
  expect((await hook("wrong")).status).toBe(403);
  const { body } = await server.ask("GET", "/v1/stats");
  expect(
    body.connections.map(({ name, isReached, onAir }: { name: string; isReached: boolean; onAir: number }) => {
      return [name, isReached, onAir];
    }),
  ).toEqual([
    ["owncast", true, 1],
    ["peertube", true, 2],
  ]);
  expect(server.told).toContain(`owncast is followed: 1 on air (${platform.url})`);
  // Killed: what went off air meanwhile is off air after the restart.
  await server.stop("SIGKILL");
  platform.json({ "/api/v1/videos": peertube.list([other]), "/api/status": owncast.OFF });
  const again = await new Served(words, { cwd: folder, env }).start();
  const { connections } = (await again.ask("GET", "/v1/stats")).body;
  expect(connections[1].onAir).toBeGreaterThan(0);
  await until(again, [first, second]);
  expect(await again.stop("SIGTERM")).toBe(0);
  expect(server.told + again.told).not.toContain(KEY);
});

test("liveq serve says what is wrong with --connect before it opens anything", async () => {
  for (const [words, message] of [
    [["--connect", "kick=https://a"], '"--connect": "connect" must be owncast=URL, peertube=URL or twitch=FILTERS'],
    [["--connect", "owncast=https://u:hush-hush@a"], '"--connect": "url" must be an http or https address'],
    [["--connect", "twitch"], '"--connect": "twitch" needs LIVEQ_TWITCH_CLIENT_ID'],
    [["--connect", "owncast=https://a", "--simulate"], '"--connect" and "--simulate" do not go together'],
  ] as const) {
    const wrong = new Served(["--dir", join(folder, "wrong"), ...words], { cwd: folder });
    expect([(await wrong.ended)[0], wrong.told]).toEqual([2, expect.stringContaining(message)]);
  }
});
