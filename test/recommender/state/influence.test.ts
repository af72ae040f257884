import { describe, expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import type { LiveEvent } from "../../../src/protocol/events.js";
import { HOUR, MINUTE } from "../../../src/protocol/time.js";
import { coreFeatures, taste } from "../../../src/recommender/features/index.js";
import { SCENE_DEFAULTS, Scenes } from "../../../src/recommender/retrieval/scenes.js";
import type { ProfileOptions } from "../../../src/recommender/state/profiles/options.js";
import type { StreamerProfile } from "../../../src/recommender/state/streamers.js";
import { Users } from "../../../src/recommender/state/users.js";
import { bytesOf, readAll, textOf } from "../../support/parts.js";
import { judgeAt, watchAt } from "../../support/watch.js";

const ANN = { streamer: "ann", category: "chess", tags: ["blitz"] };
const DEFAULT_SAY = 6 * HOUR;

function streamer(i: number) {
  return { streamer: `r${i}`, category: "chess", tags: [] };
}

function ann(profiles: Users, now: number): StreamerProfile {
  return profiles.streamers.profile("ann", now)!;
}

/** An honest visit of one hour: in, like, out. */
function visit(profiles: Users, user: string, from: number): void {
  profiles.impression(user, ANN, from);
  profiles.click(user, ANN, from);
  judgeAt(profiles, user, ANN, false, from + MINUTE);
  watchAt(profiles, user, ANN, HOUR, false, from + HOUR);
}

/** The same in one millisecond, again and again: an hour's watch is impossible by then. */
function flood(profiles: Users, users: number, times: number, from = 0): void {
  for (let i = 0; i < times; i++) {
    const [user, now] = [`bot${i % users}`, from + i];
    profiles.impression(user, ANN, now);
    profiles.click(user, ANN, now);
    watchAt(profiles, user, ANN, HOUR, false, now);
    judgeAt(profiles, user, ANN, false, now);
    profiles.follow(user, ANN, now);
  }
}

describe("the influence of an account", () => {
  test("is no more after thousands of events than after one honest visit", () => {
    for (const users of [1, 5]) {
      const [honest, flooded] = [new Users(), new Users()];
      for (let i = 0; i < users; i++) visit(honest, `bot${i}`, 0);
      flood(flooded, users, 3000);
      const [one, other] = [ann(honest, HOUR), ann(flooded, HOUR)];
      expect([other.clicks, other.approvals, other.followers]).toEqual([users, users, users]);
      expect([other.watches, other.repeats]).toEqual([0, 0]);
      for (const field of ["clickRate", "engagedShare", "weight", "repeatShare", "approvalRate"] as const) {
        expect(other.estimate.long[field]).toBeLessThanOrEqual(one.estimate.long[field] + 1e-3);
      }
      expect(other.estimate.now.clickRate).toBeLessThanOrEqual(one.estimate.now.clickRate + 1e-2);
      expect(other.estimate.now.weight).toBeLessThanOrEqual(one.estimate.now.weight);
    }
  });

  test("is the same for all accounts: each honest one counts, and counts again in the next window", () => {
    const profiles = new Users();
    for (let i = 0; i < 50; i++) visit(profiles, `u${i}`, i);
    const { estimate: _, ...first } = ann(profiles, HOUR);
    expect(first).toMatchObject({ clicks: 50, watches: 50, approvals: 50, repeats: 0, minutes: 50 * 60 });
    for (let i = 0; i < 50; i++) visit(profiles, `u${i}`, DEFAULT_SAY + i);
    expect(ann(profiles, DEFAULT_SAY + HOUR)).toMatchObject({ clicks: 100, watches: 100, approvals: 100, repeats: 50 });
  });

  test("is 4 watches, so that short ones in a row do not bury a streamer either", () => {
    const profiles = new Users();
    for (let i = 0; i < 1000; i++) watchAt(profiles, "bot", ANN, 1000, false, i);
    expect(ann(profiles, MINUTE)).toMatchObject({ watches: 4 });
    for (let i = 0; i < 9; i++) watchAt(profiles, "u", ANN, 10 * MINUTE, false, (i + 1) * 10 * MINUTE);
    expect(ann(profiles, HOUR)).toMatchObject({ watches: 8 });
    expect(ann(profiles, HOUR).minutes).toBeCloseTo(4 * (10 + 1 / 60), 12);
  });

  test("is at most 8 impressions before the click", () => {
    const profiles = new Users();
    const impressions = (user: string, before: number, after: number) => {
      for (let i = 0; i < before; i++) profiles.impression(user, ANN, 0);
      profiles.click(user, ANN, 0);
      for (let i = 0; i < after; i++) profiles.impression(user, ANN, 0);
      return ann(profiles, 0).estimate.impressions;
    };
    expect([impressions("u", 3, 5), impressions("v", 0, 5), impressions("bot", 3000, 3000)]).toEqual([3, 3, 11]);
  });

  test("does not grow by rounds of many streamers", () => {
    const profiles = new Users();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 300; i++) {
        profiles.click("bot", streamer(i), round);
        watchAt(profiles, "bot", streamer(i), HOUR, false, round);
        profiles.follow("bot", streamer(i), round);
      }
    }
    for (let i = 0; i < 300; i++) {
      const { clicks = 0, followers = 0, watches = 0 } = profiles.streamers.profile(`r${i}`, 20) ?? {};
      expect([clicks, followers]).toEqual(i < 128 ? [1, 1] : [0, 0]);
      expect(watches).toBeLessThanOrEqual(4);
    }
  });

  test("is 64 decisions a window", () => {
    const profiles = new Users();
    const admitted = (user: string, now: number) => {
      profiles.open(user, now);
      return Array.from({ length: 1000 }, () => profiles.admits(user, now)).filter(Boolean).length;
    };
    expect([admitted("bot", 0), admitted("bot", DEFAULT_SAY - 1), admitted("u", 5)]).toEqual([64, 0, 64]);
    expect(admitted("bot", DEFAULT_SAY)).toBe(64);
    expect(profiles.admits("never seen", 0)).toBe(true);
  });

  test("is unbounded where the option is 0", () => {
    const profiles = new Users({ influenceWindowMs: 0 });
    flood(profiles, 1, 100);
    expect(ann(profiles, 100)).toMatchObject({ clicks: 100, watches: 100, minutes: 6000, approvals: 100, repeats: 99 });
    expect(Array.from({ length: 100 }, () => profiles.admits("bot0", 100)).every(Boolean)).toBe(true);
  });

  test("equals a recount of everything from the start", () => {
    const random = new Random(7);
    const options: Partial<ProfileOptions> = { influenceWindowMs: 20 * MINUTE };
    const profiles = new Users(options);
    const log: { user: string; streamer: string; kind: "impression" | "click" | "like"; time: number }[] = [];
    for (let n = 0, time = 0; n < 5000; n++) {
      time += random.below(10_000);
      const [user, i] = [`u${random.below(3)}`, random.below(4)];
      const kind = (["impression", "impression", "click", "like"] as const)[random.below(4)]!;
      log.push({ user, streamer: `r${i}`, kind, time });
      if (kind === "impression") profiles.impression(user, streamer(i), time);
      else if (kind === "click") profiles.click(user, streamer(i), time);
      else judgeAt(profiles, user, streamer(i), false, time);
    }
    const counted = { click: 0, like: 0 };
    for (const user of ["u0", "u1", "u2"]) {
      let since = Number.NEGATIVE_INFINITY;
      let seen = new Set<string>();
      for (const { streamer, kind, time } of log.filter((event) => event.user === user)) {
        if (time - since >= 20 * MINUTE) [since, seen] = [time, new Set()];
        if (streamer === "r0" && kind !== "impression" && !seen.has(kind)) {
          counted[kind]++;
          seen.add(kind);
        }
      }
    }
    expect(counted.click).toBeGreaterThan(50);
    expect(profiles.streamers.profile("r0", 0)).toMatchObject({ clicks: counted.click, approvals: counted.like });
  });

  test("continues the same after a save, and is forgotten with the streamer", () => {
    const profiles = new Users();
    flood(profiles, 2, 50);
    const loaded = new Users();
    loaded.load(JSON.parse(JSON.stringify(profiles.save())));
    readAll(loaded.profiles.reader("users"), bytesOf(profiles.profiles.part("users")));
    readAll(loaded.streamers.reader("streamers"), bytesOf(profiles.streamers.part("streamers")));
    flood(loaded, 2, 50, 50);
    expect(ann(loaded, 100)).toMatchObject({ clicks: 2, approvals: 2 });
    loaded.deleteStreamer("ann");
    expect(loaded.export("bot0")!.influence.streamers).toEqual([]);
  });

  test("bounds the learning of vectors from a streamer", () => {
    const learned = (watches: number) => {
      const scenes = new Scenes({ ...SCENE_DEFAULTS, features: [...coreFeatures(), taste()] });
      for (let i = 0; i < 20; i++) {
        scenes.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `r${i}`, category: "c" });
      }
      const watch = { kind: "watch", user: "bot", stream: "s1", watchMs: 5 * MINUTE } satisfies Partial<LiveEvent>;
      for (let i = 1; i <= watches; i++) scenes.feedback({ ...watch, time: i * 5 * MINUTE });
      const part = scenes.parts().find(({ name }) => name === "kept.vectors");
      return textOf(bytesOf(part!));
    };
    expect(learned(60)).toEqual(learned(4));
    expect(learned(4)).not.toEqual(learned(3));
  });
});

describe("an impossible watch", () => {
  const minutes = (profiles: Users) => profiles.get("u")!.pairs.get("ann")!.minutes;

  test("counts for the time since the user entered", () => {
    const profiles = new Users();
    profiles.click("u", ANN, 0);
    watchAt(profiles, "u", ANN, HOUR, false, 10 * MINUTE);
    expect([minutes(profiles), ann(profiles, HOUR).minutes, ann(profiles, HOUR).watches]).toEqual([10, 10, 1]);
  });

  test("counts for the time since the user's last watch there ended, and not at all when that is short", () => {
    const profiles = new Users();
    watchAt(profiles, "u", ANN, HOUR, false, 10);
    expect(minutes(profiles)).toBe(60);
    watchAt(profiles, "u", ANN, HOUR, false, 10 + 200);
    expect(minutes(profiles)).toBeCloseTo(60 + 200 / MINUTE, 5);
    expect(profiles.get("u")!.sums.bounces[0]).toBe(0);
    expect(ann(profiles, HOUR)).toMatchObject({ watches: 1, minutes: 60 });
  });

  test("is one too long by more than clocks differ", () => {
    const profiles = new Users();
    profiles.click("u", ANN, 0);
    watchAt(profiles, "u", ANN, 70_000, false, MINUTE);
    expect(minutes(profiles)).toBeCloseTo(70 / 60, 6);
    watchAt(profiles, "u", ANN, 70_001, false, 2 * MINUTE);
    expect(minutes(profiles)).toBeCloseTo(70 / 60 + 1, 6);
  });

  test("is not one of another streamer, nor after a like alone", () => {
    const profiles = new Users();
    profiles.click("u", streamer(1), 0);
    judgeAt(profiles, "u", ANN, false, 0);
    watchAt(profiles, "u", ANN, HOUR, false, 1);
    expect(minutes(profiles)).toBe(60);
  });
});
