import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/protocol/time.js";
import { defaultFeatures, type FeatureGroup } from "../../../src/recommender/features/index.js";
import { SCENE_DEFAULTS, Scenes } from "../../../src/recommender/retrieval/scenes.js";
import { onAir } from "../../support/events.js";
import { everyGroup } from "../../support/groups.js";

const NOW = 100 * MINUTE;

/** A platform on which "u" has watched three of the four streams, and the rows of "u" or of another user. */
function rowsOf(features: FeatureGroup[], user: string) {
  const scenes = new Scenes({ ...SCENE_DEFAULTS, features });
  for (let i = 0; i < 4; i++) {
    scenes.feedback(
      onAir(`s${i}`, { streamer: `r${i}`, tags: ["blitz"], language: "en", mature: false, title: "Blitz" }),
    );
    scenes.feedback({ kind: "update", time: MINUTE, stream: `s${i}`, viewers: 10 ** i });
  }
  scenes.feedback({ kind: "user", time: MINUTE, user: "u", age: 30, language: "en" });
  scenes.feedback({ kind: "follow", time: MINUTE, user: "u", stream: "s1" });
  scenes.feedback({ kind: "friend", time: MINUTE, user: "u", friend: "v" });
  for (let i = 0; i < 3; i++) {
    const about = { user: "u", stream: `s${i}` };
    scenes.feedback({ kind: "click", time: (2 + 20 * i) * MINUTE, ...about });
    scenes.feedback({ kind: "watch", time: (12 + 20 * i) * MINUTE, ...about, watchMs: 10 * MINUTE });
  }
  const { streams, observation, candidates } = scenes.face({ user, now: NOW });
  return { scenes, streams, observation: observation.slice(), candidates: candidates.slice() };
}

/** Where a group's numbers lie: [start, end) in the observation, and in a row. */
function places(features: FeatureGroup[]) {
  const { scenes } = rowsOf(features, "u");
  const at = { observation: 0, candidate: 0 };
  return features.map((group) => {
    const writer = group.build({ state: scenes.state, seed: 1 });
    const start = { ...at };
    at.observation += writer.observation;
    at.candidate += writer.candidate;
    return { name: group.name, start, end: { ...at } };
  });
}

describe("a group made unknown", () => {
  test.each(places(everyGroup()).map(({ name }, i) => [name, i] as const))(
    "%s changes its own numbers alone, all finite and in [-8, 8]",
    (_, group) => {
      const features = everyGroup();
      const { start, end } = places(features)[group]!;
      const { scenes, streams, observation, candidates } = rowsOf(features, "u");
      const [user, rows] = [observation.slice(), candidates.slice()];
      scenes.features.occlude(group, user, rows);
      const size = scenes.features.candidateSize;
      for (const [i, x] of user.entries()) {
        expect(Math.abs(x)).toBeLessThanOrEqual(8);
        if (i < start.observation || i >= end.observation) expect(x).toBe(observation[i]);
      }
      for (const [i, x] of rows.entries()) {
        expect(Math.abs(x)).toBeLessThanOrEqual(8);
        if (i % size < start.candidate || i % size >= end.candidate) expect(x).toBe(candidates[i]);
        // The same for all streams: nothing is left of what tells them apart.
        else expect(x).toBe(rows[(i % size) + size * (streams.length - 1)]);
      }
    },
  );

  test("of the default ones has the numbers of a new user, and of a new stream of an unknown streamer", () => {
    const features = defaultFeatures();
    const { scenes, observation, candidates } = rowsOf(features, "u");
    for (const group of features.keys()) scenes.features.occlude(group, observation, candidates);
    const { scenes: other } = rowsOf(features, "u");
    // Of another category and other tags than all that was watched.
    other.feedback(onAir("new", { time: NOW, streamer: "new", category: "new" }));
    const { streams, observation: user, candidates: rows } = other.face({ user: "nobody", now: NOW });
    const size = other.features.candidateSize;
    const at = size * streams.findIndex(({ id }) => id === "new");
    // The first group is the clock: no user lacks the time, so its unknown is all 0.
    expect([...observation.subarray(0, 7)]).toEqual(new Array(7).fill(0));
    expect([...observation.subarray(7)]).toEqual([...user.subarray(7)]);
    expect([...candidates.subarray(0, size)]).toEqual([...rows.subarray(at, at + size)]);
  });
});
