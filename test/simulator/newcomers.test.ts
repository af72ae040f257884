import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { RandomPolicy } from "../../src/baselines/random.js";
import type { Id, LiveEvent } from "../../src/protocol/events.js";
import { DAY, HOUR } from "../../src/protocol/time.js";
import { Platform, type PlatformOptions } from "../../src/simulator/index.js";
import type { Viewer } from "../../src/simulator/world/viewers.js";

const VIEWERS = 200;
const LONG = { viewers: VIEWERS, streamers: 30, days: 50 };

/** A run with all its events and everybody who was ever there, by id, as each was when lost or at the end. */
function live(options: Partial<PlatformOptions>, step = HOUR) {
  const events: LiveEvent[] = [];
  const people = new Map<Id, Viewer>();
  /** Sessions and known streamers of newcomers when they came to their place. */
  const fresh: number[] = [];
  const platform = new Platform(new RandomPolicy(1, ""), options, { onEvent: (event) => events.push(event) });
  const { viewers, days } = platform.options;
  for (let time = 0; time <= days * DAY; time += step) {
    platform.advance(time);
    for (let place = 0; place < viewers; place++) {
      for (let index = place; index < 20 * viewers; index += viewers) {
        const id = `viewer-${index}`;
        const known = people.get(id);
        if (known !== undefined && !known.isGone) break;
        if (known !== undefined) continue;
        let viewer: Viewer | undefined;
        try {
          viewer = platform.viewer(id);
        } catch {}
        if (viewer === undefined) break;
        people.set(id, viewer);
        if (index >= viewers) fresh.push(viewer.sessions);
      }
    }
  }
  return { events, people, fresh, platform };
}

const indexOf = (id: Id) => Number(id.split("-")[1]);
const digest = (events: readonly LiveEvent[]) => createHash("sha256").update(JSON.stringify(events)).digest("hex");
const minutesOf = (events: readonly LiveEvent[], from: number, to: number) => {
  let sum = 0;
  for (const event of events) {
    if (event.kind === "watch" && event.time >= from * DAY && event.time < to * DAY) sum += event.watchMs / 60_000;
  }
  return sum;
};

describe("newcomers", () => {
  const { events, people, fresh, platform } = live(LONG);
  const newcomers = [...people.values()].filter(({ index }) => index >= VIEWERS);
  const users = events.filter(({ kind }) => kind === "user") as Extract<LiveEvent, { kind: "user" }>[];

  test("keep up the audience of a platform that would else lose it", () => {
    const without = live({ ...LONG, newcomers: false });
    expect(without.platform.metrics().newcomers).toBe(0);
    expect(without.people.size).toBe(VIEWERS);
    const lasting = (of: readonly LiveEvent[]) => minutesOf(of, 36, 50) / minutesOf(of, 0, 14);
    expect(lasting(events)).toBeGreaterThan(0.85);
    expect(lasting(without.events)).toBeLessThan(0.85 * lasting(events));
    const present = (all: typeof people) => [...all.values()].filter(({ isGone }) => !isGone).length;
    expect(present(without.people)).toBeLessThan(0.75 * VIEWERS);
    expect(present(people)).toBeGreaterThan(0.9 * present(without.people));
  });

  test("come after 14 days at the earliest, and change nothing before", () => {
    expect(newcomers.length).toBeGreaterThan(40);
    expect(platform.metrics().newcomers).toBe(newcomers.length);
    const first = users.find(({ user }) => indexOf(user) >= VIEWERS)!;
    expect(first.time).toBeGreaterThan(14 * DAY);
    const early = (of: readonly LiveEvent[]) => digest(of.filter(({ time }) => time < 14 * DAY));
    expect(early(live({ ...LONG, newcomers: false, days: 15 }).events)).toBe(early(events));
  });

  test("have no history: nothing is said of them before their one user event, and they know nobody", () => {
    const introduced = new Set<Id>();
    for (const event of events) {
      if (event.kind === "user") {
        expect(introduced.has(event.user)).toBe(false);
        introduced.add(event.user);
      } else if ("user" in event) expect(introduced.has(event.user)).toBe(true);
    }
    const came = [...people.values()].filter(({ sessions }) => sessions > 0);
    expect(introduced).toEqual(new Set(came.map(({ id }) => id)));
    expect(fresh.length).toBe(newcomers.length);
    // Seen within the hour of the loss: hardly anybody has come yet.
    expect(fresh.filter((sessions) => sessions > 0).length).toBeLessThan(0.1 * fresh.length);
  });

  test("take the place of one who is lost, once the loss is sure, and that one is never heard of again", () => {
    const lastOf = new Map<Id, number>();
    for (const event of events) if ("user" in event && event.user !== undefined) lastOf.set(event.user, event.time);
    for (const { index, id } of newcomers) {
      const old = people.get(`viewer-${index - VIEWERS}`)!;
      expect(old.isGone).toBe(true);
      // A look at the last slate ends after the session.
      expect(lastOf.get(old.id)!).toBeLessThan(old.leftAt! + HOUR);
      expect(users.find(({ user }) => user === id)?.time ?? Number.POSITIVE_INFINITY).toBeGreaterThan(
        old.leftAt! + old.churnsAfter,
      );
      expect(() => platform.viewer(old.id)).toThrow(`no viewer "${old.id}"`);
    }
  });

  test("befriend the friends of those whose place they take: friendship stays mutual, and is sent once", () => {
    const ends = new Map<number, Viewer>();
    for (const viewer of people.values()) {
      const place = viewer.index % VIEWERS;
      if ((ends.get(place)?.index ?? -1) < viewer.index) ends.set(place, viewer);
    }
    for (const viewer of ends.values()) {
      expect(viewer.friends.length).toBeGreaterThan(0);
      expect(new Set(viewer.friends).size).toBe(viewer.friends.length);
      for (const friend of viewer.friends) {
        expect(ends.get(friend.index % VIEWERS)).toBe(friend);
        expect(friend).not.toBe(viewer);
        expect(friend.friends).toContain(viewer);
      }
      const before = people.get(`viewer-${viewer.index % VIEWERS}`)!;
      expect(viewer.friends.length).toBe(before.friends.length);
    }
    const sent = events.flatMap((event) =>
      event.kind === "friend" ? [[event.user, event.friend].sort().join(" ")] : [],
    );
    expect(new Set(sent).size).toBe(sent.length);
    // Of those who are there at the end and have come, every friendship was sent.
    const known = new Set(sent);
    for (const viewer of ends.values()) {
      for (const friend of viewer.friends) {
        if (viewer.sessions === 0 || friend.sessions === 0) continue;
        expect(known.has([viewer.id, friend.id].sort().join(" "))).toBe(true);
      }
    }
  });

  test("come after an exponential wait, the same for all, of the mean gap", () => {
    const waits = newcomers.flatMap(({ index, id }) => {
      const old = people.get(`viewer-${index - VIEWERS}`)!;
      const free = old.leftAt! + old.churnsAfter;
      // Those whose wait the end of the run hardly ever cuts.
      if (free > 42 * DAY) return [];
      const came = users.find(({ user }) => user === id);
      return [((came?.time ?? 50 * DAY) - free) / HOUR];
    });
    expect(waits.length).toBeGreaterThan(30);
    const mean = waits.reduce((sum, x) => sum + x, 0) / waits.length;
    expect(Math.abs(mean - 25)).toBeLessThan((4.5 * 25) / Math.sqrt(waits.length));
    const late = waits.filter((x) => x > 25).length / waits.length;
    const p = Math.exp(-1);
    expect(Math.abs(late - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / waits.length));
  });
});

test("a run with newcomers is the same whatever its pieces, and another with another seed", () => {
  const small = { viewers: 60, streamers: 20, days: 40 };
  const first = live(small);
  expect(first.platform.metrics().newcomers).toBeGreaterThan(3);
  expect(digest(live(small, 5 * HOUR).events)).toBe(digest(first.events));
  expect(digest(live({ ...small, seed: 2 }).events)).not.toBe(digest(first.events));
});
