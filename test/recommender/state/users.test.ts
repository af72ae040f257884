import { describe, expect, test } from "vitest";
import { Latest } from "../../../src/collections/latest.js";
import { lognormal } from "../../../src/numeric/distributions.js";
import { Random } from "../../../src/numeric/random.js";
import { DAY, HOUR, MINUTE, WEEK } from "../../../src/protocol/time.js";
import type { StreamTraits } from "../../../src/recommender/state/catalogue.js";
import { HALF_LIVES_MS, type UserTraits } from "../../../src/recommender/state/profiles/profile.js";
import { emptyStreamerEstimate, Streamers } from "../../../src/recommender/state/streamers.js";
import { Users } from "../../../src/recommender/state/users.js";
import { bytesOf, readAll, textOf, written } from "../../support/parts.js";
import { judgeAt, watchAt } from "../../support/watch.js";

function stream(streamer: string, category = "chess", tags: string[] = []): StreamTraits {
  return { streamer, category, tags };
}

/** Everything that a save holds. */
function saved(users: Users): string {
  const parts = [users.profiles.part("users"), users.streamers.part("streamers")];
  return JSON.stringify(users.save()) + textOf(...parts.map(bytesOf));
}

const ANN = stream("ann", "chess", ["blitz", "calm"]);
const BEN = stream("ben", "music");

describe("a user's profile", () => {
  test("counts fade by half in each half-life", () => {
    const profiles = new Users();
    for (let i = 0; i < 8; i++) profiles.click("u", ANN, 0);
    expect(profiles.open("u", 0).sums.clicks).toEqual([8, 8, 8]);
    const { clicks } = profiles.open("u", DAY).sums;
    for (const [speed, halfLife] of HALF_LIVES_MS.entries()) {
      expect(clicks[speed]).toBeCloseTo(8 * 2 ** (-DAY / halfLife), 12);
    }
  });

  test("fades the same in one step as in many", () => {
    const [once, often] = [new Users(), new Users()];
    for (const profiles of [once, often]) watchAt(profiles, "u", ANN, 30 * MINUTE, false, 0);
    for (let now = HOUR; now <= WEEK; now += HOUR) often.open("u", now);
    const [a, b] = [once.open("u", WEEK), often.open("u", WEEK)];
    expect(b.sums.weight[2]).toBeCloseTo(a.sums.weight[2]!, 12);
    // 17 bits.
    expect(b.categories.get("chess")!.weight[2]).toBeCloseTo(a.categories.get("chess")!.weight[2]!, 3);
    expect(b.pairs.get("ann")!.weight).toBeCloseTo(a.pairs.get("ann")!.weight, 3);
  });

  test("interests are shares of watching", () => {
    const profiles = new Users();
    watchAt(profiles, "u", ANN, 30 * MINUTE, false, 0);
    watchAt(profiles, "u", BEN, 30 * MINUTE, false, 0);
    const { categories, tags, sums } = profiles.open("u", 0);
    expect(categories.get("chess")!.weight[0]! / sums.weight[0]!).toBeCloseTo(0.5, 5);
    expect(tags.get("blitz")!.weight[0]).toBe(categories.get("chess")!.weight[0]);
  });

  test("a session begins after a gap, and not before", () => {
    const profiles = new Users({ sessionGapMs: 30 * MINUTE });
    profiles.shown("u", [ANN, BEN], 0);
    profiles.shown("u", [ANN], 30 * MINUTE);
    expect(profiles.get("u")!.session).toMatchObject({ requests: 2, ignored: 2, gapMs: 0 });
    expect(profiles.get("u")!.session.shown.get("ann")).toBe(2);
    profiles.open("u", 61 * MINUTE);
    expect(profiles.get("u")!.session).toMatchObject({ requests: 0, ignored: 0, gapMs: 31 * MINUTE });
    expect(profiles.get("u")!.requests).toBe(2);
  });

  test("a short watch counts as a bounce, and as nothing when the stream ended it", () => {
    const profiles = new Users({ bounceMs: 5000 });
    watchAt(profiles, "u", ANN, 3000, false, 0);
    watchAt(profiles, "u", ANN, 3000, true, 0);
    const profile = profiles.open("u", 0);
    expect([profile.sums.bounces[0], profile.sums.watches[0], profile.session.bounces]).toEqual([1, 1, 1]);
  });

  test("memory is bounded, and the latest visits stay", () => {
    const profiles = new Users({ users: 40, streamers: 50, pairs: 20, interests: 10 });
    for (let i = 0; i < 500; i++) {
      profiles.shown("u", [stream(`s${i}`, `c${i}`, [`t${i}`])], i);
      profiles.click("u", stream(`s${i}`, `c${i}`), i);
      watchAt(profiles, "u", stream(`s${i}`, `c${i}`, [`t${i}`]), MINUTE, false, i);
      profiles.open(`u${i}`, i);
    }
    const profile = profiles.get("u")!;
    expect(profile.pairs.size).toBeLessThanOrEqual(20);
    expect(profile.pairs.has("s499")).toBe(true);
    expect(profile.categories.size).toBeLessThanOrEqual(10);
    expect(profile.tags.size).toBeLessThanOrEqual(10);
    expect(profile.categories.has("c499")).toBe(true);
    expect(profile.recent.length).toBe(20);
    expect(profiles.size).toBeLessThanOrEqual(40);
    expect(profiles.streamers.size).toBeLessThanOrEqual(50);
  });

  test("can be read as plain values, which are a copy, and be deleted", () => {
    const profiles = new Users();
    watchAt(profiles, "u", ANN, MINUTE, false, 0);
    const copy = profiles.export("u")!;
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
    expect(copy.pairs[0]![0]).toBe("ann");
    copy.sums.minutes[0] = 99;
    expect(profiles.get("u")!.sums.minutes[0]).toBe(1);
    expect(profiles.delete("u")).toBe(true);
    expect(profiles.export("u")).toBeUndefined();
    expect(profiles.delete("u")).toBe(false);
  });

  test("saved and loaded, it continues the same", () => {
    const random = new Random(3);
    const streams = Array.from({ length: 30 }, (_, i) => stream(`s${i}`, `c${i % 5}`, [`t${i % 7}`]));
    const act = (profiles: Users, draw: Random, from: number) => {
      for (let i = 0; i < 400; i++) {
        const [user, now, chosen] = [`u${draw.below(12)}`, from + i * MINUTE, draw.pick(streams)];
        profiles.shown(user, [chosen, draw.pick(streams)], now);
        profiles.click(user, chosen, now);
        watchAt(profiles, user, chosen, lognormal(draw, 60_000, 2), draw.bernoulli(0.1), now);
        judgeAt(profiles, user, chosen, draw.bernoulli(0.2), now);
        profiles.rate(user, chosen, draw.uniform(), now);
        profiles.page(user, lognormal(draw, 9000, 1), now);
        profiles.update(user, { age: draw.below(99) }, now);
        profiles.befriend(user, `u${draw.below(12)}`, draw.bernoulli(0.7), now);
        profiles.follow(user, chosen, now);
        profiles.streamers.onAir(chosen.streamer, chosen.category, now);
      }
    };
    const options = { users: 8, pairs: 10, interests: 3, friends: 4, follows: 5 };
    const original = new Users(options);
    act(original, random, 0);
    const copy = new Users(options);
    copy.load(JSON.parse(JSON.stringify(original.save())));
    readAll(copy.profiles.reader("users"), bytesOf(original.profiles.part("users")), 1000);
    readAll(copy.streamers.reader("streamers"), bytesOf(original.streamers.part("streamers")), 7);
    expect(saved(copy)).toBe(saved(original));
    const again = random.state();
    act(original, random, DAY);
    random.restore(again);
    act(copy, random, DAY);
    expect(saved(copy)).toBe(saved(original));
  });
});

describe("a session", () => {
  const visits = (hasWatches = true) => {
    const profiles = new Users({ sessionGapMs: 30 * MINUTE });
    if (hasWatches) watchAt(profiles, "somebody else", ANN, MINUTE, false, 0);
    profiles.shown("u", [ANN, BEN], 0);
    profiles.click("u", ANN, 0);
    return profiles;
  };
  const session = (profiles: Users) => profiles.get("u")!.session;

  test("does not end while the user watches for hours, nor by gifts and requests during the watch", () => {
    const profiles = visits();
    profiles.approve("u", ANN, 50 * MINUTE);
    profiles.shown("u", [BEN], 100 * MINUTE);
    watchAt(profiles, "u", ANN, 3 * HOUR, false, 3 * HOUR);
    expect(session(profiles)).toMatchObject({ start: 0, gapMs: 0, requests: 2, clicks: 1, engaged: 1 });
    expect(profiles.get("u")!.rhythm.returns).toBe(0);
  });

  test("does not end in a watch that is reported at its end alone, without a click", () => {
    const profiles = new Users();
    profiles.shown("u", [ANN], 0);
    profiles.watch("u", ANN, { watchMs: 2 * HOUR, isCut: false }, 2 * HOUR);
    expect(session(profiles)).toMatchObject({ start: 0, gapMs: 0 });
  });

  test("begins after a gap that counts from the end of the watch", () => {
    const profiles = visits();
    watchAt(profiles, "u", ANN, 2 * HOUR, false, 2 * HOUR);
    profiles.open("u", 2 * HOUR + 29 * MINUTE);
    expect(session(profiles)).toMatchObject({ start: 0, gapMs: 0 });
    profiles.open("u", 3 * HOUR);
    expect(session(profiles)).toMatchObject({ start: 3 * HOUR, gapMs: 31 * MINUTE, requests: 0 });
    expect(profiles.get("u")!.rhythm.returns).toBe(1);
  });

  test("begins at the start of a watch after a gap, not at its end", () => {
    const profiles = visits();
    watchAt(profiles, "u", ANN, MINUTE, false, MINUTE);
    profiles.watch("u", BEN, { watchMs: HOUR, isCut: false }, 3 * HOUR);
    expect(session(profiles)).toMatchObject({ start: 2 * HOUR, gapMs: 2 * HOUR - MINUTE, engaged: 1 });
  });

  test("of a platform without watches begins after a gap since the last sign, as a click tells no end", () => {
    const profiles = visits(false);
    profiles.approve("u", ANN, 50 * MINUTE);
    expect(session(profiles)).toMatchObject({ start: 50 * MINUTE, gapMs: 50 * MINUTE });
  });

  test("ends where a watch would be longer than hours", () => {
    const profiles = visits();
    profiles.open("u", 5 * HOUR);
    expect(session(profiles)).toMatchObject({ start: 5 * HOUR, gapMs: 5 * HOUR });
  });

  test("that follows credits the streamers of the one before with the return, the latest most", () => {
    const profiles = new Users();
    const credit = (streamer: string) => {
      const estimate = emptyStreamerEstimate();
      profiles.streamers.read(streamer, "c", 3 * DAY, estimate);
      return estimate.returns;
    };
    profiles.watch("u", stream("early"), { watchMs: MINUTE, isCut: false }, 0);
    profiles.open("u", 2 * DAY);
    for (const [i, name] of ["first", "second", "last"].entries()) {
      profiles.watch("u", stream(name), { watchMs: MINUTE, isCut: false }, 2 * DAY + i * MINUTE);
    }
    const before = credit("early");
    expect(["first", "second", "last"].map(credit)).toEqual([0, 0, 0]);
    profiles.open("u", 3 * DAY);
    const [first, second, last] = ["first", "second", "last"].map(credit);
    expect(last).toBeCloseTo(1, 9);
    expect(second! / last!).toBeCloseTo(0.7, 9);
    expect(first! / last!).toBeCloseTo(0.49, 9);
    expect(credit("early")).toBe(before);
  });
});

describe("traits, friends, pages and ratings of a user", () => {
  test("traits keep the latest value of each field; fields without a value are absent", () => {
    const profiles = new Users();
    profiles.update("u", { age: 30, region: "eu" }, 0);
    profiles.update("u", { region: "us", device: "tv", age: undefined } as UserTraits, 1);
    expect(profiles.get("u")!.traits).toEqual({ age: 30, region: "us", device: "tv" });
    expect(profiles.get("u")!.lastSeen).toBe(0);
  });

  test("friends are friends both ways, until they are not; nobody is a friend of oneself", () => {
    const profiles = new Users();
    const friends = (user: string) => [...(profiles.get(user)?.friends?.keys() ?? [])];
    profiles.befriend("u", "v", true, 0);
    profiles.befriend("w", "u", true, 0);
    profiles.befriend("u", "u", true, 0);
    expect([friends("u"), friends("v"), friends("w")]).toEqual([["v", "w"], ["u"], ["u"]]);
    profiles.befriend("v", "u", false, 1);
    profiles.befriend("v", "never seen", false, 1);
    expect([friends("u"), friends("v")]).toEqual([["w"], []]);
    expect(profiles.get("never seen")).toBeUndefined();
  });

  test("a forgotten user is nobody's friend, even where a full list had dropped one side", () => {
    const profiles = new Users({ friends: 20 });
    for (let i = 0; i < 60; i++) profiles.befriend("u", `v${i}`, true, i);
    expect(profiles.get("u")!.friends!.size).toBeLessThanOrEqual(20);
    expect(profiles.get("v0")!.friends!.has("u")).toBe(true);
    expect(profiles.delete("u")).toBe(true);
    expect(saved(profiles)).not.toContain(written("u"));
  });

  test("a user is in a stream from the click to the end of the watch, or for hours", () => {
    const profiles = new Users();
    profiles.click("u", ANN, 0);
    expect(profiles.watching("u", HOUR)).toBe("ann");
    expect(profiles.watching("u", 5 * HOUR)).toBeUndefined();
    profiles.click("u", BEN, HOUR);
    watchAt(profiles, "u", ANN, HOUR, false, HOUR);
    expect(profiles.watching("u", HOUR)).toBe("ben");
    watchAt(profiles, "u", BEN, MINUTE, false, HOUR + MINUTE);
    expect(profiles.watching("u", HOUR + MINUTE)).toBeUndefined();
    expect(profiles.watching("nobody", 0)).toBeUndefined();
  });

  test("pages count, short ones as bounces; ratings add up from -1 to 1", () => {
    const profiles = new Users({ bounceMs: 5000 });
    profiles.page("u", 1000, 0);
    profiles.page("u", 59_000, 0);
    profiles.rate("u", ANN, 1, 0);
    profiles.rate("u", ANN, 0.25, 0);
    const { sums, session, pairs } = profiles.open("u", 0);
    expect([sums.pages![0], sums.pageBounces![0], session.pages]).toEqual([2, 1, 2]);
    expect(sums.dwell![0]).toBeCloseTo(Math.log(2) + Math.log(60), 10);
    expect([sums.ratings![2], sums.ratingSum![2]]).toEqual([2, 0.5]);
    expect(pairs.get("ann")).toMatchObject({ ratings: 2, ratingSum: 0.5, approvals: 0 });
    expect(profiles.open("u", WEEK).sums.pages![2]).toBeCloseTo(1, 12);
  });
});

describe("a streamer's profile", () => {
  test("counts streams, categories, watches and followers over all streams", () => {
    const profiles = new Users();
    const { streamers } = profiles;
    streamers.onAir("ann", "chess", 1000);
    streamers.onAir("ann", "music", 2000);
    streamers.onAir("ann", "chess", 3000);
    for (const user of ["u", "v"]) {
      profiles.click(user, ANN, 4000);
      watchAt(profiles, user, ANN, 10 * MINUTE, false, DAY);
      for (let i = 0; i < 2; i++) profiles.follow(user, ANN, DAY);
      judgeAt(profiles, user, ANN, false, DAY);
    }
    profiles.click("u", ANN, 2 * DAY);
    watchAt(profiles, "u", ANN, 4 * MINUTE, false, 2 * DAY + 4 * MINUTE);
    expect(streamers.profile("ann", 3 * DAY)).toMatchObject({
      firstSeen: 1000,
      lastOnAir: 3000,
      streams: 3,
      categories: [
        ["music", 1],
        ["chess", 2],
      ],
      clicks: 3,
      repeats: 1,
      watches: 3,
      minutes: 24,
      meanWatchMinutes: 8,
      repeatShare: 1 / 3,
      approvals: 2,
      followers: 2,
    });
    expect(streamers.profile("ann", DAY)!.estimate.watches).toBeGreaterThan(2);
    expect(streamers.profile("nobody", DAY)).toBeUndefined();
    for (let i = 0; i < 40; i++) streamers.onAir("ann", `c${i}`, DAY);
    expect(streamers.profile("ann", DAY)!.categories.length).toBe(16);
  });

  test("is a copy, and can be deleted, with the history of users there", () => {
    const profiles = new Users();
    profiles.shown("u", [ANN, BEN], 0);
    profiles.click("u", ANN, 0);
    watchAt(profiles, "u", ANN, MINUTE, false, 0);
    profiles.follow("u", ANN, 0);
    watchAt(profiles, "u", BEN, MINUTE, false, 0);
    profiles.click("u", ANN, 1);
    const copy = profiles.streamers.profile("ann", 0)!;
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy);
    copy.categories.push(["x", 1]);
    expect(profiles.streamers.profile("ann", 0)!.categories).toEqual([]);
    expect(profiles.deleteStreamer("ann")).toBe(true);
    expect(profiles.streamers.profile("ann", 0)).toBeUndefined();
    expect(saved(profiles)).not.toContain("ann");
    expect(profiles.get("u")!.pairs.has("ben")).toBe(true);
    expect(profiles.deleteStreamer("ann")).toBe(false);
  });
});

describe("the estimate of a streamer", () => {
  const estimate = emptyStreamerEstimate();

  test("a new streamer is worth as much as the category", () => {
    const profiles = new Users();
    for (let i = 0; i < 200; i++) {
      watchAt(profiles, `u${i}`, stream(`good${i % 10}`, "chess"), 20 * MINUTE, false, i);
      watchAt(profiles, `u${i}`, stream(`bad${i % 10}`, "music"), 2000, false, i);
    }
    profiles.streamers.read("new", "chess", 200, estimate);
    expect(estimate.long.engagedShare).toBeGreaterThan(0.9);
    expect([estimate.watches, estimate.impressions]).toEqual([0, 0]);
    profiles.streamers.read("new", "music", 200, estimate);
    expect(estimate.long.engagedShare).toBeLessThan(0.15);
    expect(estimate.now.weight).toBe(estimate.long.weight);
  });

  test("an estimate goes from the prior to the mean as watches come in", () => {
    const audiences = new Streamers(100);
    let last = 0;
    for (let n = 0; n < 200; n++) {
      audiences.read("ann", "chess", 0, estimate);
      expect(estimate.long.weight).toBeGreaterThan(last);
      last = estimate.long.weight;
      audiences.add("ann", "chess", "watches", 1, 0);
      audiences.add("ann", "chess", "weight", 3, 0);
    }
    expect(last).toBeGreaterThan(2.9);
    expect(last).toBeLessThan(3);
  });

  test("current figures fade within hours, long ones within weeks", () => {
    const audiences = new Streamers(100);
    for (let i = 0; i < 30; i++) {
      audiences.add("ann", "chess", "watches", 1, 0);
      audiences.add("ann", "chess", "weight", 1, 0);
    }
    for (let i = 0; i < 10; i++) {
      audiences.add("ann", "chess", "watches", 1, WEEK);
      audiences.add("ann", "chess", "weight", 4, WEEK);
    }
    audiences.read("ann", "chess", WEEK, estimate);
    expect(estimate.now.weight).toBeGreaterThan(estimate.long.weight + 0.5);
    audiences.read("ann", "chess", WEEK + DAY, estimate);
    expect(estimate.now.weight).toBeCloseTo(estimate.long.weight, 2);
  });
});

test("Latest keeps the latest entries and stays within its size", () => {
  const latest = new Latest<number, number>(32);
  for (let i = 0; i < 100; i++) {
    latest.set(i, i);
    latest.set(0, i);
    expect(latest.size).toBeLessThanOrEqual(32);
    expect(latest.has(i)).toBe(true);
  }
  expect(latest.get(0)).toBe(99);
  expect(latest.size).toBeGreaterThanOrEqual(30);
  expect(new Latest(32, [...latest])).toEqual(latest);
});
