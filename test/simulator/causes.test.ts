import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { measureCauses } from "../../bench/recommender/causes.js";
import { RandomPolicy } from "../../src/baselines/random.js";
import type { LiveEvent } from "../../src/protocol/events.js";
import { parseEvent } from "../../src/protocol/schema.js";
import { DAY, MINUTE } from "../../src/protocol/time.js";
import {
  Platform,
  type PlatformOptions,
  type PolicyOrOracle,
  simulate,
  type ViewerCauses,
  watchOracle,
} from "../../src/simulator/index.js";

const CAUSES = ["chat", "picture", "region", "friends"] as const satisfies (keyof ViewerCauses)[];
const WORLD = { viewers: 120, streamers: 150, days: 5, seed: 4 };

function eventsOf(options: Partial<PlatformOptions>): LiveEvent[] {
  const events: LiveEvent[] = [];
  simulate(new RandomPolicy(1, ""), options, { onEvent: (event) => events.push(event) });
  return events;
}

function digest(events: readonly LiveEvent[]): string {
  const hash = createHash("sha256");
  for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
  return hash.digest("hex");
}

/** The shares of fitting streams, of what is shown, of what is clicked, and of the time watched. */
function shares(options: Partial<PlatformOptions>, policy: PolicyOrOracle = new RandomPolicy(1, "")) {
  const shown = { all: 0, fitting: 0 };
  const clicked = { all: 0, fitting: 0 };
  const watched = { all: 0, fitting: 0 };
  const isFitting = new Map<string, boolean>();
  const platform = new Platform(
    policy,
    { ...WORLD, ...options },
    {
      onDecision({ user, slate }) {
        for (const stream of slate) {
          shown.all++;
          if (platform.fits(user, stream)) shown.fitting++;
        }
      },
      onEvent(event) {
        if (event.kind === "click") {
          isFitting.set(event.user, platform.fits(event.user, event.stream));
          clicked.all++;
          if (isFitting.get(event.user)) clicked.fitting++;
        }
        if (event.kind !== "watch") return;
        watched.all += event.watchMs;
        if (isFitting.get(event.user)) watched.fitting += event.watchMs;
      },
    },
  );
  platform.advance(WORLD.days * DAY);
  return [shown, clicked, watched].map(({ fitting, all }) => fitting / all) as [number, number, number];
}

describe("a cause that viewers follow", () => {
  // So small a strength changes no draw, and yet the cause is there to be measured.
  const NEXT_TO_NOTHING = 1e-12;

  test.each(CAUSES)(
    "%s: a quarter of the streams fits, and viewers click and watch these more, the stronger it is",
    (cause) => {
      const [shown, clicked, watched] = shares({ causes: { [cause]: NEXT_TO_NOTHING } });
      for (const share of [shown, clicked, watched]) expect(Math.abs(share - 0.25)).toBeLessThan(0.12);
      const [shownHalf, clickedHalf, watchedHalf] = shares({ causes: { [cause]: 0.5 } });
      const [shownFull, clickedFull, watchedFull] = shares({ causes: { [cause]: 1 } });
      for (const share of [shownHalf, shownFull]) expect(Math.abs(share - 0.25)).toBeLessThan(0.05);
      expect(clickedHalf).toBeGreaterThan(clicked + 0.06);
      expect(clickedFull).toBeGreaterThan(clickedHalf + 0.06);
      expect(watchedHalf).toBeGreaterThan(watched + 0.15);
      expect(watchedFull).toBeGreaterThan(watchedHalf + 0.05);
      expect(watchedFull).toBeGreaterThan(0.75);
    },
  );

  test.each(CAUSES)("%s: an oracle that sees it shows mostly streams that fit", (cause) => {
    expect(shares({ causes: { [cause]: 1 }, slate: 1 }, watchOracle)[0]).toBeGreaterThan(0.7);
  });

  test.each(CAUSES)("%s: the platform sends valid events in order of time, the same for the same seed", (cause) => {
    const options = { ...WORLD, days: 1, causes: { [cause]: 0.7 } };
    const events = eventsOf(options);
    expect(events.filter((event, i) => event.time < (events[i - 1]?.time ?? 0))).toEqual([]);
    expect(events.filter((event) => !isDeepStrictEqual(parseEvent(event), event))).toEqual([]);
    expect(digest(eventsOf(options))).toBe(digest(events));
    expect(digest(eventsOf({ ...options, seed: 5 }))).not.toBe(digest(events));
  });

  test.each(CAUSES)("%s: streams and viewers are those of the same platform without it", (cause) => {
    const world = (causes: Partial<ViewerCauses>) =>
      eventsOf({ ...WORLD, days: 2, causes }).flatMap((event): object[] => {
        if (event.kind === "on_air") return [{ ...event, embeddings: undefined }];
        return event.kind === "off_air" || event.kind === "user" || event.kind === "friend" ? [event] : [];
      });
    const first = (events: object[]) => new Set(events.map((event) => JSON.stringify({ ...event, time: 0 })));
    const plain = first(world({}));
    const caused = first(world({ [cause]: 1 }));
    const shared = [...plain].filter((event) => caused.has(event)).length;
    // A viewer can come for the first time before or after the run ends, never as somebody else.
    expect(shared / plain.size).toBeGreaterThan(0.99);
  });

  test("no cause, and every cause at strength 0, leave the events as they are, byte for byte", () => {
    const options = { viewers: 100, streamers: 150, days: 6, seed: 5 };
    const none = { chat: 0, picture: 0, region: 0, friends: 0 };
    const committed = "1aa5cab7a1ebf768fec61aa1791fa83176edfda2c84c1777d1178f70a0cc9bb0";
    expect(digest(eventsOf(options))).toBe(committed);
    expect(digest(eventsOf({ ...options, causes: none }))).toBe(committed);
  });

  test("causes add up: what fits by two of them is watched more than what fits by chance", () => {
    const [shown, , watched] = shares({ causes: { chat: 1, picture: 1 } });
    expect(Math.abs(shown - 1 / 16)).toBeLessThan(0.03);
    expect(watched).toBeGreaterThan(5 * shown);
  });
});

describe("the events that carry a cause", () => {
  test("chat: about four comments a minute where the stream is good now, and one in five minutes elsewhere", () => {
    const minutes = { lively: 0, calm: 0 };
    const comments = { lively: 0, calm: 0 };
    const platform = new Platform(
      new RandomPolicy(1, ""),
      { ...WORLD, causes: { chat: 1 } },
      {
        onEvent(event) {
          if (event.kind !== "comment" || !event.user.startsWith("guest-")) return;
          comments[platform.fits("viewer-0", event.stream) ? "lively" : "calm"]++;
        },
      },
    );
    for (let time = MINUTE; time <= 2 * DAY; time += MINUTE) {
      for (const { id } of platform.streams()) minutes[platform.fits("viewer-0", id) ? "lively" : "calm"]++;
      platform.advance(time);
    }
    expect(comments.lively / minutes.lively).toBeCloseTo(4, 0);
    expect(Math.abs(comments.calm / minutes.calm - 0.2)).toBeLessThan(0.05);
    expect(Math.abs(minutes.lively / (minutes.lively + minutes.calm) - 0.25)).toBeLessThan(0.04);
  });

  test("picture: covers that fit a viewer are alike, and neither category nor tags go along with them", () => {
    const covers: { fits: boolean; image: number[]; category: string }[] = [];
    const platform = new Platform(
      new RandomPolicy(1, ""),
      { ...WORLD, causes: { picture: 1 } },
      {
        onEvent(event) {
          if (event.kind !== "on_air") return;
          const { image } = event.embeddings!;
          covers.push({ fits: platform.fits("viewer-0", event.stream), image: image!, category: event.category! });
        },
      },
    );
    platform.advance(3 * DAY);
    const cosine = (a: number[], b: number[]) => {
      const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    };
    const fitting = covers.filter(({ fits }) => fits);
    const others = covers.filter(({ fits }) => !fits);
    const [first] = fitting;
    for (const { image } of fitting) expect(cosine(first!.image, image)).toBeGreaterThan(0.5);
    for (const { image } of others) expect(cosine(first!.image, image)).toBeLessThan(0.5);
    const chatting = (list: typeof covers) =>
      list.filter(({ category }) => category === "chatting").length / list.length;
    expect(Math.abs(chatting(fitting) - chatting(others))).toBeLessThan(0.15);
  });

  test("region: the same streams fit all viewers of a region", () => {
    const platform = new Platform(new RandomPolicy(1, ""), { ...WORLD, causes: { region: 1 } });
    platform.advance(DAY);
    const byRegion = new Map<string, string>();
    for (let i = 0; i < WORLD.viewers; i++) {
      const id = `viewer-${i}`;
      const { region } = platform.viewer(id).traits;
      const fits = [...platform.streams()].map((stream) => platform.fits(id, stream.id)).join(" ");
      expect(byRegion.get(region) ?? fits).toBe(fits);
      byRegion.set(region, fits);
    }
    expect(new Set(byRegion.values()).size).toBe(4);
  });

  test("friends: they follow streamers who fit, and these mostly fit their friends too", () => {
    const friends = new Map<string, string[]>();
    let follows = 0;
    let fitting = 0;
    let ofFriends = 0;
    let fittingFriends = 0;
    const platform = new Platform(
      new RandomPolicy(1, ""),
      { ...WORLD, causes: { friends: 1 } },
      {
        onEvent(event) {
          if (event.kind === "friend") friends.set(event.user, [...(friends.get(event.user) ?? []), event.friend]);
          if (event.kind !== "follow" || ![...platform.streams()].some(({ id }) => id === event.stream)) return;
          follows++;
          if (platform.fits(event.user, event.stream)) fitting++;
          for (const friend of friends.get(event.user) ?? []) {
            ofFriends++;
            if (platform.fits(friend, event.stream)) fittingFriends++;
          }
        },
      },
    );
    platform.advance(WORLD.days * DAY);
    expect(follows).toBeGreaterThan(60);
    expect(fitting / follows).toBeGreaterThan(0.85);
    expect(fittingFriends / ofFriends).toBeGreaterThan(0.7);
  });
});

test("wrong causes are refused by name, and so is asking about a stream that is not on air", () => {
  const run = (causes: object) => () => simulate(new RandomPolicy(), { causes } as object);
  expect(run({ chat: 2 })).toThrow(new RangeError('"causes.chat" must be in [0, 1], got 2'));
  expect(run({ weather: 1 })).toThrow('"causes.weather" is not an option');
  expect(() => simulate(new RandomPolicy(), { causes: 1 } as object)).toThrow('"causes" must be an object, got 1');
  const platform = new Platform(new RandomPolicy(1, ""), WORLD);
  platform.advance(DAY);
  const [stream] = platform.streams();
  expect(platform.fits("viewer-0", stream!.id)).toBe(true);
  expect(() => platform.fits("viewer-0", "nothing")).toThrow('no stream "nothing" on air');
  expect(() => platform.fits("nobody", stream!.id)).toThrow('no viewer "nobody"');
});

test("a benchmark compares recommenders with and without the groups that read a cause, world by world", () => {
  const lines: string[] = [];
  const rows = measureCauses(
    {
      causes: ["none", "chat", "picture", "region", "friends"],
      seeds: [1, 2],
      platform: { viewers: 12, streamers: 30, days: 2, warmupDays: 1 },
      strength: 1,
      recommender: { warmupUpdates: 10, learner: { hidden: [16], capacity: 500, learningStarts: 20 } },
    },
    (line) => lines.push(line),
  );
  expect(lines.length).toBe(5 * 2 * 2);
  const metrics = (name: string) => rows.filter((row) => row.case === name).map(({ metric }) => metric);
  expect(metrics("causes/none/core")).toEqual(["watch_min_per_user_day"]);
  expect(metrics("causes/none/default")).toEqual(["watch_min_per_user_day", "gain_min_per_user_day"]);
  for (const cause of CAUSES) {
    expect(metrics(`causes/${cause}/core`)).toEqual(["fitting_share", "watch_min_per_user_day"]);
    expect(metrics(`causes/${cause}/default`)).toEqual([
      "fitting_share",
      "watch_min_per_user_day",
      "fitting_share_gain",
      "gain_min_per_user_day",
    ]);
  }
  for (const { metric, value, lo, hi, n } of rows) {
    expect(lo! <= value && value <= hi!, metric).toBe(true);
    expect(n).toBe(2);
  }
});
