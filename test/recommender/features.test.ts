import { describe, expect, test } from "vitest";
import { Random } from "../../src/random.js";
import { Contents } from "../../src/recommender/content.js";
import { DAY, MINUTE } from "../../src/recommender/decay.js";
import { candidateSize, type FeatureOptions, Features, observationSize } from "../../src/recommender/features.js";
import type { StreamOnAir } from "../../src/recommender/inputs.js";
import { Profiles } from "../../src/recommender/profile.js";
import { CollaborativeVectors } from "../../src/recommender/vectors.js";

const STREAMS: StreamOnAir[] = Array.from({ length: 20 }, (_, i) => ({
  id: `${i}`,
  streamer: `s${i % 15}`,
  title: "",
  category: `c${i % 4}`,
  tags: [`t${i % 3}`, `t${i % 5}`],
  viewers: i ** 4,
  startedAt: i * MINUTE,
}));

interface Act {
  user: string;
  stream: number;
  watchMs: number;
  dislike: boolean;
}

function draw(random: Random): Act {
  const [user, stream, watchMs] = [`u${random.below(4)}`, random.below(20), random.lognormal(30_000, 3)];
  return { user, stream, watchMs, dislike: random.bernoulli(0.3) };
}

function take(profiles: Profiles, act: Act, now: number): void {
  const stream = STREAMS[act.stream]!;
  profiles.shown(act.user, [stream, STREAMS[(act.stream + 1) % 20]!], now);
  profiles.click(act.user, stream, now);
  profiles.watch(act.user, stream, act.watchMs, false, now);
  profiles.interact(act.user, stream, act.dislike, now);
}

function plain(profiles: Profiles, options: Partial<FeatureOptions> = {}): Features {
  return new Features({ profiles, vectors: new CollaborativeVectors(), contents: new Contents(1) }, options);
}

/** All rows for a user at a moment: the state, then each candidate. */
function rows(profiles: Profiles, user: string, now: number): Float32Array {
  const out = new Float32Array(observationSize + STREAMS.length * candidateSize).fill(Number.NaN);
  const profile = profiles.open(user, now);
  const moment = { now, onAir: STREAMS.length, viewersMax: 19 ** 4 };
  const features = plain(profiles);
  features.begin(user, profile, moment);
  features.writeObservation(out, 0);
  for (const [i, stream] of STREAMS.entries()) {
    features.write(out, observationSize + i * candidateSize, stream);
  }
  return out;
}

function candidate(all: Float32Array, i: number): Float32Array {
  const start = observationSize + i * candidateSize;
  return all.slice(start, start + candidateSize);
}

describe("features", () => {
  test("are all written, finite and in [-1, 3], after any history", () => {
    const random = new Random(1);
    const profiles = new Profiles();
    let now = 0;
    for (let i = 0; i < 2000; i++) {
      now += random.bernoulli(0.02) ? 30 * DAY : random.lognormal(MINUTE, 3);
      const act = draw(random);
      take(profiles, random.bernoulli(0.01) ? { ...act, watchMs: 1e300 } : act, now);
      if (i % 20 !== 0) continue;
      const values = rows(profiles, random.pick(["u0", "u1", "nobody"]), now);
      expect(values.every((value) => value >= -1 && value <= 3)).toBe(true);
    }
  });

  test("of an event do not change when the future is shuffled", () => {
    const random = new Random(2);
    const acts = Array.from({ length: 200 }, () => draw(random));
    const past = acts.slice(0, 100);
    const at = (order: Act[]) => {
      const profiles = new Profiles();
      const seen: Float32Array[] = [];
      for (const [i, act] of order.entries()) {
        if (i <= 100) seen.push(rows(profiles, past[i % 100]!.user, i * MINUTE));
        take(profiles, act, i * MINUTE);
      }
      return seen;
    };
    expect(at([...past, ...random.shuffle(acts.slice(100))])).toEqual(at(acts));
  });

  test("do not change a profile by being read", () => {
    const profiles = new Profiles();
    for (let i = 0; i < 50; i++) take(profiles, draw(new Random(i)), i * MINUTE);
    const first = rows(profiles, "u1", DAY);
    expect(rows(profiles, "u1", DAY)).toEqual(first);
  });

  test("are the same for a stream whatever other streams there are", () => {
    const profiles = new Profiles();
    take(profiles, { user: "u", stream: 3, watchMs: MINUTE, dislike: false }, 0);
    const alone = new Float32Array(candidateSize);
    const moment = { now: DAY, onAir: STREAMS.length, viewersMax: 19 ** 4 };
    const features = plain(profiles);
    features.begin("u", profiles.open("u", DAY), moment);
    features.write(alone, 0, STREAMS[3]!);
    expect(candidate(rows(profiles, "u", DAY), 3)).toEqual(alone);
  });

  test("tell a visited streamer from others, a liked from a disliked, and users apart", () => {
    const profiles = new Profiles();
    take(profiles, { user: "u", stream: 3, watchMs: 30 * MINUTE, dislike: false }, 0);
    take(profiles, { user: "v", stream: 3, watchMs: 30 * MINUTE, dislike: true }, 0);
    const [u, v, w] = ["u", "v", "w"].map((user) => candidate(rows(profiles, user, MINUTE), 3));
    expect(u).not.toEqual(v);
    expect(u).not.toEqual(w);
    expect(candidate(rows(profiles, "u", MINUTE), 7)).not.toEqual(u);
    const sizes = new Set([u, v, w].map((row) => row!.length));
    expect([...sizes]).toEqual([candidateSize]);
  });

  test("go round with the day", () => {
    const profiles = new Profiles();
    const clock = (now: number) => rows(profiles, "u", now).slice(0, 4);
    expect(clock(DAY)).toEqual(clock(2 * DAY));
    expect(clock(DAY)).not.toEqual(clock(1.5 * DAY));
  });
});
