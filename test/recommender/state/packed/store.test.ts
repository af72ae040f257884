import { describe, expect, test } from "vitest";
import { sha256 } from "../../../../src/engine/snapshot/sha256.js";
import { lognormal } from "../../../../src/numeric/distributions.js";
import { Random } from "../../../../src/numeric/random.js";
import { MINUTE } from "../../../../src/protocol/time.js";
import type { StreamTraits } from "../../../../src/recommender/state/catalogue.js";
import type { ProfileOptions } from "../../../../src/recommender/state/profiles/options.js";
import { Users } from "../../../../src/recommender/state/users.js";
import { bytesOf, readAll, textOf, written } from "../../../support/parts.js";
import { judgeAt, watchAt } from "../../../support/watch.js";

const SMALL: Partial<ProfileOptions> = { users: 40, pairs: 10, interests: 6, friends: 4, follows: 5 };
const STREAMS: StreamTraits[] = Array.from({ length: 50 }, (_, i) => {
  return { streamer: `streamer-${i}`, category: `category-${i % 9}`, tags: [`tag-${i % 13}`, `tag-${i % 5}`] };
});

/** Everything that can happen to users, drawn. */
function act(users: Users, random: Random, from: number, events: number, of = 60): void {
  for (let i = 0; i < events; i++) {
    const user = `user-${random.below(of)}`;
    const now = from + i * 7 * MINUTE + random.uniform();
    const stream = random.pick(STREAMS);
    switch (random.below(12)) {
      case 0:
        users.shown(user, [stream, random.pick(STREAMS)], now);
        break;
      case 1:
        users.click(user, stream, now);
        break;
      case 2:
        watchAt(users, user, stream, lognormal(random, 60_000, 2), random.bernoulli(0.1), now);
        break;
      case 3:
        judgeAt(users, user, stream, random.bernoulli(0.3), now);
        break;
      case 4:
        users.rate(user, stream, random.uniform(), now);
        break;
      case 5:
        users.page(user, lognormal(random, 9000, 1), now);
        break;
      case 6:
        users.update(user, { age: random.below(99), region: `r${random.below(4)}`, language: "en" }, now);
        break;
      case 7:
        users.befriend(user, `user-${random.below(of)}`, random.bernoulli(0.8), now);
        break;
      case 8:
        users.follow(user, stream, now);
        break;
      case 9:
        users.admits(user, now);
        users.beat(user, stream, MINUTE, now);
        break;
      case 10:
        users.watching(user, now);
        users.follows(user);
        users.impression(user, stream, now);
        break;
      default:
        users.lastVisit(user, stream.streamer);
        users.peek(user, now);
        if (random.bernoulli(0.1)) users.delete(user);
        if (random.bernoulli(0.1)) users.deleteStreamer(stream.streamer);
    }
  }
}

function exports(users: Users, of = 60): unknown[] {
  return Array.from({ length: of }, (_, i) => users.export(`user-${i}`) ?? null);
}

/** Whether all numbers in plain values are. */
function finite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(finite);
}

function saved(users: Users): Uint8Array {
  return bytesOf(users.profiles.part("users"));
}

describe("packed profiles", () => {
  test("are the same to the bit, whenever they were packed, with 1, 2 or 10,000 active ones", () => {
    const outcomes = [1, 2, 10_000].map((active) => {
      const users = new Users({ ...SMALL, active });
      act(users, new Random(5), 0, 6000);
      return { profiles: exports(users), size: users.size, bytes: sha256(saved(users)) };
    });
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[0]!.size).toBe(40);
  });

  test("saved and loaded continue with the same bytes, at any number of active ones", () => {
    const original = new Users({ ...SMALL, active: 3 });
    act(original, new Random(1), 0, 3000);
    const copy = new Users({ ...SMALL, active: 7 });
    const bytes = saved(original);
    readAll(copy.profiles.reader("users"), bytes, 13);
    readAll(copy.streamers.reader("streamers"), bytesOf(original.streamers.part("streamers")));
    copy.load(JSON.parse(JSON.stringify(original.save())));
    expect(sha256(saved(copy))).toBe(sha256(bytes));
    for (const users of [original, copy]) act(users, new Random(2), 1e9, 3000);
    expect(sha256(saved(copy))).toBe(sha256(saved(original)));
    expect(exports(copy)).toEqual(exports(original));
  });

  test("a picture is of its moment, while events, forgetting and other saves go on; asked twice it says the same", () => {
    const users = new Users({ ...SMALL, active: 4 });
    act(users, new Random(1), 0, 3000);
    const expected = saved(users);
    const part = users.profiles.part("users");
    act(users, new Random(9), 1e9, 400);
    const other = users.profiles.part("users");
    act(users, new Random(10), 2e9, 400);
    const first = [...part.chunks()];
    act(users, new Random(11), 3e9, 400);
    expect(textOf(...first) === textOf(expected)).toBe(true);
    act(users, new Random(12), 4e9, 400);
    expect(sha256(bytesOf(part))).toBe(sha256(expected));
    part.release();
    const late = [...other.chunks()];
    act(users, new Random(13), 5e9, 400);
    expect(textOf(...other.chunks()) === textOf(...late)).toBe(true);
    other.release();
    const after = new Users({ ...SMALL, active: 4 });
    act(after, new Random(1), 0, 3000);
    for (const [i, seed] of [9, 10, 11, 12, 13].entries()) act(after, new Random(seed), (i + 1) * 1e9, 400);
    expect(sha256(saved(users))).toBe(sha256(saved(after)));
  });

  test("names go with the last user who had them", () => {
    const users = new Users({ active: 1 });
    act(users, new Random(3), 0, 2000);
    saved(users);
    expect(users.profiles.namesKnown["streamers"]).toBeGreaterThan(40);
    for (let i = 0; i < 60; i++) users.delete(`user-${i}`);
    expect(users.size).toBe(0);
    expect(new Set(Object.values(users.profiles.namesKnown))).toEqual(new Set([0]));
    for (const memory of users.profiles.memory()) expect(memory.every((byte) => byte === 0)).toBe(true);
  });

  test("a user with full tables leaves no name and no value behind", () => {
    const users = new Users({ active: 1 });
    act(users, new Random(3), 0, 500);
    const secret = "secret-user";
    users.update(secret, { region: "secret-region", gender: "secret-gender", age: 77.125 }, 1e9);
    for (let i = 0; i < 300; i++) {
      const stream = { streamer: `secret-streamer-${i}`, category: `secret-category-${i}`, tags: [`secret-tag-${i}`] };
      users.shown(secret, [stream], 1e9 + i);
      users.click(secret, stream, 1e9 + i);
      users.watch(secret, stream, { watchMs: 61_234_567.125, isCut: false }, 1e9 + i);
      users.follow(secret, stream, 1e9 + i);
      users.befriend(secret, `user-${i % 60}`, true, 1e9 + i);
      users.befriend("user-1", `secret-friend-${i % 3}`, true, 1e9 + i);
    }
    users.open("user-2", 2e9);
    const memory = () => textOf([...users.profiles.memory()]);
    const value = new Float64Array([61_234_567.125]);
    const pattern = textOf(new Uint8Array(value.buffer));
    expect(memory().includes(pattern)).toBe(true);
    expect(textOf(saved(users)).includes("secret-category-299")).toBe(true);
    expect(users.delete(secret)).toBe(true);
    expect(memory().includes(pattern)).toBe(false);
    const text = textOf(saved(users));
    for (const kind of ["user", "region", "gender", "category", "tag", "streamer"]) {
      expect(text.includes(`secret-${kind}`), kind).toBe(false);
    }
    expect(text.includes(written("secret-friend-2"))).toBe(true);
    for (let i = 0; i < 60; i++) expect(users.get(`user-${i}`)?.friends?.has(secret) ?? false).toBe(false);
  });
});

test("bytes that no save has are refused by name, or serve: cut, flipped and exchanged", () => {
  const users = new Users({ ...SMALL, active: 1 });
  act(users, new Random(1), 0, 1500);
  const bytes = saved(users);
  const random = new Random(4);
  const counts = { refused: 0, served: 0 };
  for (let i = 0; i < 1000; i++) {
    let forged = bytes.slice();
    const at = random.below(bytes.length);
    const kind = random.below(4);
    if (kind === 0) forged = forged.subarray(0, at);
    else if (kind === 1) forged[at] = random.below(256);
    else if (kind === 2) forged.fill(random.bernoulli(0.5) ? 255 : 0, at, at + random.below(9));
    else forged.copyWithin(at, random.below(bytes.length), random.below(bytes.length));
    const copy = new Users({ ...SMALL, active: 1 });
    try {
      readAll(copy.profiles.reader("users"), forged);
    } catch (error) {
      expect((error as Error).name).toBe("SnapshotError");
      expect((error as Error).message).toMatch(/^"users/);
      counts.refused++;
      continue;
    }
    counts.served++;
    if (counts.served % 10 > 0) continue;
    act(copy, new Random(6), 1e9, 100);
    const again = new Users({ ...SMALL, active: 1 });
    readAll(again.profiles.reader("users"), saved(copy));
    expect(finite(exports(again))).toBe(true);
  }
  expect(counts.refused).toBeGreaterThan(300);
  console.log(`forged users: ${JSON.stringify(counts)}`);
});
