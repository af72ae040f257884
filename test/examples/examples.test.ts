import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { numberAfter, numbersAfter, printed, promised } from "../support/example.js";

test("README lists every example", () => {
  const files = readdirSync("src/examples", { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const readme = readFileSync("src/examples/README.md", "utf8");
  const listed = [...readme.matchAll(/\]\((\S+\.ts)\)/g)].map(([, name]) => name!);
  expect(listed.sort()).toEqual(files.sort());
});

test.each(["apprentice", "bitrate", "cartpole", "client", "explanations", "features", "log", "offpolicy", "page"])(
  "%s prints what its page says",
  (name) => {
    expect(printed(name)).toEqual(promised(name));
  },
);

test("cartpole reaches 500 in episodes that chose nothing", () => {
  expect(numberAfter(printed("cartpole"), "mean return of 100 other episodes: ")).toBe(500);
});

test("an apprentice comes to agree with the old recommender, and earns more in its place", () => {
  const lines = printed("apprentice");
  expect(numberAfter(lines, "1200 requests: agrees on the first stream ")).toBeGreaterThan(50);
  expect(numberAfter(lines, "the apprentice earned ")).toBeGreaterThan(1.2 * numberAfter([lines[0]!], "one earned "));
});

test("a group of one's own shows viewers what they like, where the core groups cannot know it", () => {
  const lines = printed("features");
  expect(numberAfter(lines, "core groups     ")).toBeLessThan(0.6);
  expect(numberAfter(lines, "with my group   ")).toBeGreaterThan(0.9);
});

test("where viewers like streamers of their own, the history with the streamer explains the first place", () => {
  const lines = printed("explanations");
  expect(lines[0]).toMatch(/^r3 /);
  expect(lines[1]).toMatch(/^ {2}shown first: you have watched this streamer \d+ times \(\+/);
  expect(lines.join("\n")).toContain('without "pair" it would be');
});

test("an agent learns an environment of one's own better than its obvious rules", () => {
  const lines = printed("bitrate");
  const rules = ["always 1: ", "always 2.5: ", "always 5: ", "what the network carries: "];
  const best = Math.max(...rules.map((rule) => numberAfter(lines, rule)));
  expect(numberAfter(lines, "learned: ")).toBeGreaterThan(1.05 * best);
});

test("a recommender learns in a page what its only viewer likes", () => {
  const [line] = printed("page");
  expect(numberAfter([line!], "in ")).toBeLessThan(10);
  expect(numberAfter([line!], "visits, in ")).toBeGreaterThan(90);
});

test("in a page, one click enters a stream and the next leaves it", async () => {
  vi.stubGlobal("document", { createElement: () => ({}) });
  try {
    const { mount } = await import(pathToFileURL("dist/examples/page.js").href);
    let buttons: { textContent: string; onclick(): void }[] = [];
    const element = { replaceChildren: (...children: typeof buttons) => (buttons = children) };
    const stream = { id: "s1", streamer: "ann", category: "chess" };
    mount(element, [stream, { ...stream, id: "s2", streamer: "bob" }]);
    expect(buttons.map((button) => button.textContent).sort()).toEqual(["s1", "s2"]);
    const first = buttons[0]!.textContent;
    buttons[0]!.onclick();
    expect(buttons.map((button) => button.textContent)).toEqual([`leave ${first}`]);
    buttons[0]!.onclick();
    expect(buttons).toHaveLength(2);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("what is learned from a log holds the truth in its interval, and that log earned less", () => {
  const lines = printed("log");
  const [, , loggedHi] = numbersAfter(lines, "what was shown earned ");
  const [, lo, hi] = numbersAfter(lines, "what it would show would have earned ");
  expect(lo).toBeGreaterThan(loggedHi!);
  expect(lo).toBeLessThan(15);
  expect(hi).toBeGreaterThan(15);
  for (const category of ["chess", "music", "racing", "cooking"]) {
    expect(lines.find((line) => line.includes(`who likes ${category}`))).toContain(`show: ${category}`);
  }
});

test("off-policy estimates hold the truth and order policies by it, where clicks per impression mislead", () => {
  const lines = printed("offpolicy");
  const policies = ["banner 0 for all", "banner 1 for all", "2 for guests, 1 for fans"].map((name) => {
    const [truth, naive, snips, lo, hi, dr, drLo, drHi] = numbersAfter(lines, `${name}, % clicked: `);
    for (const [low, high] of [
      [lo, hi],
      [drLo, drHi],
    ] as const) {
      expect(low).toBeLessThan(truth!);
      expect(high).toBeGreaterThan(truth!);
    }
    return { truth: truth!, naive: naive!, snips: snips!, dr: dr! };
  });
  const order = (by: "truth" | "naive" | "snips" | "dr") =>
    [0, 1, 2].sort((a, b) => policies[a]![by] - policies[b]![by]);
  expect(order("snips")).toEqual(order("truth"));
  expect(order("dr")).toEqual(order("truth"));
  expect(order("naive")).not.toEqual(order("truth"));
});

test("the Hono server takes events, recommends, and names the field of a request that is wrong", async () => {
  const server = spawn(process.execPath, ["dist/examples/hono.js"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [url] = (await once(createInterface(server.stdout), "line")) as [string];
    const post = async (events: object[]) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${url}/events`, { method: "POST", headers, body: JSON.stringify(events) });
      return { status: response.status, ...((await response.json()) as object) };
    };
    const get = async (query: string) => {
      const response = await fetch(`${url}/recommend?${query}`);
      return { status: response.status, body: await response.json() };
    };
    const time = Date.now();
    const onAir = { kind: "on_air", time, streamer: "ann", category: "chess" };
    expect(
      await post([
        { ...onAir, stream: "s1" },
        { ...onAir, stream: "s2", streamer: "bob" },
      ]),
    ).toMatchObject({
      status: 200,
      accepted: 2,
    });
    const { body } = await get("user=u1&k=2");
    expect([...body.slate].sort()).toEqual(["s1", "s2"]);
    const visit = { user: "u1", stream: body.slate[0], decision: body.id, time };
    const watch = { ...visit, kind: "watch", watchMs: 1000 };
    expect(await post([{ ...visit, kind: "click" }, watch])).toMatchObject({ accepted: 2 });
    expect(await post([{ ...watch, watchMs: -1 }])).toMatchObject({ status: 400, error: { field: "watchMs" } });
    expect(await get("user=u1&k=0")).toEqual({ status: 400, body: { error: '"k" must be an integer >= 1, got 0' } });
    expect(await get("k=2")).toMatchObject({ status: 400, body: { error: expect.stringContaining('"user"') } });
    await post([{ kind: "off_air", time, stream: "s1" }]);
    expect((await get("user=u2&k=2")).body.slate).toEqual(["s2"]);
  } finally {
    server.kill();
    await once(server, "exit");
  }
});
