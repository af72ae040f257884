import { describe, expect, test } from "vitest";
import {
  Flag,
  INPUT_MAX,
  Normalization,
  RETURN_MAX,
  Region,
  Scalar,
  STATISTIC_MAX,
  State,
  Status,
  Storage,
  WEIGHT_MAX,
} from "../../assembly/abi.js";
import { createAgent, KernelBench, regionOf } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const CAPACITY = 6;
const NEXT = 3;

/** An agent whose persistent span has every kind of number in it: index inputs, sets, priorities, waiting steps. */
function filled(hasCandidates: boolean, storage = Storage.F32) {
  const { exports } = new KernelBench(0);
  const sizes = {
    Flags: Flag.Dueling | Flag.Sets | Flag.Prioritized | (hasCandidates ? 0 : Flag.Masked),
    Observation: 2,
    Slots: 1,
    Indexed: 5,
    Actions: hasCandidates ? 0 : 3,
    Features: hasCandidates ? 1 : 0,
    FeatureSlots: hasCandidates ? 1 : 0,
    FeatureIndexed: hasCandidates ? 4 : 0,
    MaxCandidates: hasCandidates ? 4 : 0,
    NextCandidates: hasCandidates ? NEXT : 0,
    Normalization: Normalization.Batch,
    Batch: 2,
    Capacity: CAPACITY,
    NStep: 2,
    Environments: 2,
    Storage: storage,
  };
  const bounds = storage === Storage.U8 ? ([-1, 1] as const) : undefined;
  expect(createAgent(exports, sizes, [4], 0, bounds)).toBe(Status.Ok);
  const f32 = (region: Region) => regionOf(exports, region);
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  for (let i = 0; i < 4; i++) {
    for (const region of [Region.Observation, Region.NextObservation]) f32(region).set([...numbers(2, i), 0, 1]);
    for (const region of [Region.Candidates, Region.Candidate, Region.NextCandidates]) {
      const words = f32(region);
      for (let at = 0; at + 3 <= words.length; at += 3) words.set([0.5, 0, 1], at);
    }
    const count = hasCandidates ? 2 : 0;
    scalars[Scalar.Reward] = 1;
    scalars[Scalar.Discount] = 0.9;
    expect(exports.observe(1, count, count, i === 1, i === 3 ? 1 : 0, 0)).toBe(Status.Ok);
  }
  const state = new Float64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  const stride = exports.regionBytes(Region.Replay) / CAPACITY / 4;
  const row = f32(Region.Replay).subarray(0, stride);
  const words = new Int32Array(row.buffer, row.byteOffset, stride);
  return { exports, f32, state, row, words, stride };
}

type Filled = ReturnType<typeof filled>;

/** Where the fields of a row begin, in words. */
const values = ({ stride }: Filled, hasCandidates: boolean) => {
  const width = hasCandidates ? 4 + 3 + 4 + 2 * 3 * NEXT + 1 : 4 + 4 + 1 + 1 + 1;
  expect(stride).toBe(Math.ceil((width + 4) / 4) * 4);
  return width;
};

const set = (array: { [i: number]: number | bigint }, i: number, value: number) => () => {
  array[i] = value;
};

describe.each([
  ["actions", false],
  ["candidates", true],
] as const)("restore with %s", (_, hasCandidates) => {
  const changes: [string, (agent: Filled) => () => void][] = [
    ["a size beyond the capacity", ({ state }) => set(state, State.Size, CAPACITY + 1)],
    ["a head that does not follow the rows", ({ state }) => set(state, State.Head, 5)],
    ["a count with a fraction", ({ state }) => set(state, State.Steps, 1.5)],
    ["a power of beta above 1", ({ state }) => set(state, State.Beta1Power, 1.1)],
    ["an even increment of a generator", ({ state }) => set(new Uint8Array(state.buffer, state.byteOffset), 8 * 13, 2)],
    ["a weight that is not a number", ({ f32 }) => set(f32(Region.Online), 4, Number.NaN)],
    ["an infinite target weight", ({ f32 }) => set(f32(Region.Target), 4, Number.POSITIVE_INFINITY)],
    ["a moment that is not a number", ({ f32 }) => set(f32(Region.Moments), 9, Number.NaN)],
    ["a weight beyond its bound", ({ f32 }) => set(f32(Region.Online), 4, -1.1 * WEIGHT_MAX)],
    ["a target weight beyond its bound", ({ f32 }) => set(f32(Region.Target), 4, 1.1 * WEIGHT_MAX)],
    ["a first moment beyond its bound", ({ f32 }) => set(f32(Region.Moments), 1, -2e19)],
    ["a second moment beyond its bound", ({ f32 }) => set(f32(Region.Moments), f32(Region.Gradient).length, 2e37)],
    ["a negative second moment", ({ f32 }) => set(f32(Region.Moments), f32(Region.Gradient).length, -1e-9)],
    [
      "a running mean beyond its bound",
      ({ f32 }) => set(f32(Region.Online), f32(Region.Gradient).length, 1.1 * STATISTIC_MAX),
    ],
    ["an update that was dropped after the last step", ({ state }) => set(state, State.SkippedStep, state[0]! + 1)],
    ["a negative running variance", ({ f32 }) => set(f32(Region.Online), f32(Region.Gradient).length + 4, -1)],
    [
      "a negative running variance at the end",
      ({ f32 }) => set(f32(Region.Online), f32(Region.Gradient).length + 7, -1),
    ],
    ["a negative priority", ({ f32 }) => set(f32(Region.Priorities), 0, -1)],
    ["a priority where no row is", ({ f32 }) => set(f32(Region.Priorities), CAPACITY - 1, 1)],
    ["a largest priority of 0", ({ state }) => set(state, State.MaxPriority, 0)],
    ["an observation that is not a number", ({ row }) => set(row, 1, Number.NaN)],
    [
      "an observation of the last row that is not a number",
      ({ f32, state, stride }) => set(f32(Region.Replay), (state[State.Size]! - 1) * stride, Number.NaN),
    ],
    ["an observation beyond its bound", ({ row }) => set(row, 1, -1.1 * INPUT_MAX)],
    ["an index beyond its rows", ({ words }) => set(words, 2, 5)],
    ["a negative index", ({ words }) => set(words, 2, -2147483648)],
    ["a discount above 1", (agent) => set(agent.row, values(agent, hasCandidates) + 1, 1.1)],
    ["an infinite return", (agent) => set(agent.row, values(agent, hasCandidates), Number.POSITIVE_INFINITY)],
    ["a return beyond its bound", (agent) => set(agent.row, values(agent, hasCandidates), -1.1 * RETURN_MAX)],
    ["an action that there is not", (agent) => set(agent.words, values(agent, hasCandidates) + 2, 3)],
    ["a negative action", (agent) => set(agent.words, values(agent, hasCandidates) + 2, -1)],
    ["more next candidates than rows have room for", (agent) => set(agent.words, values(agent, hasCandidates) + 3, 4)],
    [
      "as many waiting steps as go at once, of the last environment",
      ({ exports, state, stride }) =>
        set(
          new Int32Array(
            state.buffer,
            exports.region(Region.Moments) + exports.regionBytes(Region.Moments) + 16 + 2 * stride * 4,
            1,
          ),
          0,
          2,
        ),
    ],
    [
      "as many waiting steps as go at once",
      ({ exports, state }) =>
        set(
          new Int32Array(state.buffer, exports.region(Region.Moments) + exports.regionBytes(Region.Moments), 1),
          0,
          2,
        ),
    ],
  ];
  if (hasCandidates) {
    const at = 4 + 3 + 4 + 3 * NEXT;
    changes.push(
      ["an index of a next candidate beyond its rows", ({ words }) => set(words, 4 + 3 + 4 + 1, 4)],
      ["more candidates than rows have room for", ({ words }) => set(words, at, NEXT + 1)],
      ["an action beyond the candidates", ({ words }) => set(words, at, 1)],
      ["an index of a candidate beyond its rows", ({ words }) => set(words, at + 2, 4)],
      // What stands behind the rows that there is room for is such that it passes for one more.
      [
        "one candidate more than rows have room for",
        (agent) => () => {
          agent.words[at] = NEXT + 1;
          agent.row[values(agent, true) + 1] = 0;
        },
      ],
      [
        "one next candidate more than rows have room for",
        (agent) => () => {
          agent.words[values(agent, true) + 3] = NEXT + 1;
          agent.words.fill(0, at + 1, at + 3);
        },
      ],
    );
  } else {
    changes.push(["an action that its mask hides", ({ words }) => set(words, 10, 0b101)]);
  }

  test.each(changes)("%s is refused", (__, change) => {
    const agent = filled(hasCandidates);
    expect(agent.exports.restore()).toBe(Status.Ok);
    change(agent)();
    expect([Status.BadCounter, Status.NotFinite]).toContain(agent.exports.restore());
  });
});

describe("restore of rows that are packed", () => {
  /** Bytes of a part: dense numbers padded to 4, an index, its weight; of an observation and of a candidate alike. */
  const PART = 12;
  /** Dense numbers of the parts of a row with candidates, two of which are in each set. */
  const dense = (bytes: number) =>
    [0, bytes, PART, 2 * PART, 2 * PART + bytes, 3 * PART, 4 * PART].concat(6 * PART + 4, 7 * PART + 4);

  function packed(storage: Storage) {
    const { exports, row, stride } = filled(true, storage);
    expect(stride * 4).toBe(9 * PART + 4 + 16);
    const { buffer } = exports.memory;
    const moments = exports.region(Region.Moments) + exports.regionBytes(Region.Moments);
    // Queues begin behind the moments; a step of the second one waits.
    const waiting = moments + 16 + 2 * stride * 4 + 16;
    const view = new DataView(buffer, row.byteOffset, stride * 4);
    return { exports, view, step: new DataView(buffer, waiting, stride * 4) };
  }

  test("a half that is not finite is refused, wherever one is kept", () => {
    for (const half of [0x7c00, 0xfc00, 0x7e01, 0xffff]) {
      for (const at of dense(2)) {
        const { exports, view } = packed(Storage.F16);
        view.setUint16(at, half, true);
        expect(exports.restore(), `${half} at byte ${at}`).toBe(Status.NotFinite);
      }
      const { exports, step } = packed(Storage.F16);
      step.setUint16(0, half, true);
      expect(exports.restore()).toBe(Status.BadCounter);
    }
  });

  test("any other half, and any byte, is taken", () => {
    for (let value = 0; value < 256; value++) {
      const bytes = packed(Storage.U8);
      for (const at of dense(1)) for (const view of [bytes.view, bytes.step]) view.setUint8(at, (value * 7 + at) & 255);
      expect(bytes.exports.restore()).toBe(Status.Ok);
      const halves = packed(Storage.F16);
      for (const at of dense(2)) {
        for (const view of [halves.view, halves.step]) view.setInt16(at, (value * 124) ^ (at % 4 ? 0x8000 : 0), true);
      }
      expect(halves.exports.restore()).toBe(Status.Ok);
    }
  });

  test.each([
    ["halves", Storage.F16],
    ["bytes", Storage.U8],
  ])("indices and weights beside %s are held to their bounds", (_, storage) => {
    const changes: ((view: DataView) => void)[] = [
      (view) => view.setInt32(4, 5, true),
      (view) => view.setInt32(2 * PART + 4, -1, true),
      (view) => view.setInt32(4 * PART + 4, 4, true),
      (view) => view.setInt32(6 * PART + 4 + 4, 4, true),
      (view) => view.setFloat32(8, Number.NaN, true),
      (view) => view.setFloat32(3 * PART + 8, -1.1 * INPUT_MAX, true),
    ];
    for (const change of changes) {
      const { exports, view } = packed(storage);
      expect(exports.restore()).toBe(Status.Ok);
      change(view);
      expect(exports.restore()).toBe(Status.NotFinite);
    }
  });
});

test("a head behind a full ring is refused", () => {
  const { exports } = new KernelBench(0);
  expect(createAgent(exports, { Observation: 1, Actions: 2, Capacity: 2 }, [3])).toBe(Status.Ok);
  for (let i = 0; i < 3; i++) exports.observe(1, 0, 0, true, 0, 0);
  const state = new Float64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  expect([state[State.Size], state[State.Head], exports.restore()]).toEqual([2, 1, Status.Ok]);
  state[State.Head] = 2;
  expect(exports.restore()).toBe(Status.BadCounter);
});

test("without masks and sets, an action behind the last is refused", () => {
  const { exports } = new KernelBench(0);
  expect(createAgent(exports, { Observation: 1, Actions: 2, Capacity: 2 }, [3])).toBe(Status.Ok);
  exports.observe(1, 0, 0, true, 0, 0);
  expect(exports.restore()).toBe(Status.Ok);
  const action = new Int32Array(exports.memory.buffer, exports.region(Region.Replay), 8).subarray(4, 5);
  expect(action[0]).toBe(1);
  action[0] = 2;
  expect(exports.restore()).toBe(Status.NotFinite);
});

test("a NaN is refused at any place of an observation and of the given candidates", () => {
  const { exports, f32 } = filled(true);
  expect(exports.evaluate(2, false)).toBe(Status.Ok);
  for (const [region, length, status] of [
    [Region.Observation, 4, Status.BadObservation],
    [Region.Candidates, 2 * 3, Status.BadCandidate],
  ] as const) {
    const words = f32(region);
    for (let i = 0; i < length; i++) {
      const kept = words[i]!;
      words[i] = Number.NaN;
      expect([exports.evaluate(2, false), exports.act(2, false)]).toEqual([status, -1 - status]);
      words[i] = kept;
    }
  }
  f32(Region.Candidates).fill(Number.NaN, 2 * 3);
  expect(exports.evaluate(2, false)).toBe(Status.Ok);
});

/** An agent with slates, whose first row showed 2 of 3 candidates. */
function slateAgent() {
  const { exports } = new KernelBench(0);
  const sizes = { Flags: Flag.Sets, Observation: 1, Features: 1, MaxCandidates: 3, NextCandidates: 3, Slate: 2 };
  expect(createAgent(exports, { ...sizes, Batch: 2, Capacity: CAPACITY }, [4], 0)).toBe(Status.Ok);
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  scalars[Scalar.Discount] = 0.9;
  expect(exports.observe(1, 3, 2, true, 0, 2)).toBe(Status.Ok);
  const row = regionOf(exports, Region.Replay);
  return { exports, words: new Int32Array(row.buffer, row.byteOffset, row.length) };
}

describe("restore with slates", () => {
  // Observation, next observation and candidates | count, candidates | shown, next slate | return, discount, action, next count.
  const [count, shown, nextSlate, action] = [5, 9, 10, 13];

  test.each<[string, number, number]>([
    ["more candidates than rows have room for", count, 4],
    ["fewer candidates than were shown", count, 1],
    ["a negative number of shown ones", shown, -1],
    ["more shown ones than candidates", shown, 4],
    ["fewer shown ones than the entered one needs", shown, 1],
    ["a negative size of the next slate", nextSlate, -1],
    ["an action that was not shown", action, 2],
    ["an action below that of nothing", action, -2],
  ])("%s is refused", (_, at, value) => {
    const { exports, words } = slateAgent();
    expect(exports.restore()).toBe(Status.Ok);
    expect([words[count], words[shown], words[action]]).toEqual([3, 2, 1]);
    words[at] = value;
    expect(exports.restore()).toBe(Status.NotFinite);
  });

  test("nothing entered, and nothing shown, is taken", () => {
    const { exports, words } = slateAgent();
    words[action] = -1;
    expect(exports.restore()).toBe(Status.Ok);
    words[shown] = 0;
    expect(exports.restore()).toBe(Status.Ok);
  });
});
