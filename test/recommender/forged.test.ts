import { expect, test } from "vitest";
import { DQN, type DQNOptions, SnapshotError } from "../../src/engine/index.js";
import { Random } from "../../src/numeric/index.js";
import { EventError, type LiveEvent } from "../../src/protocol/index.js";
import { Recommender } from "../../src/recommender/recommender.js";
import { ByteWriter } from "../../src/recommender/state/index.js";
import { simulate } from "../../src/simulator/index.js";
import { forged, type Json, mutate, mutateBytes, type Parts, partsOf, pathsOf } from "../support/forged.js";
import { everyGroup } from "../support/groups.js";

/** Mutants of each kind; `npm run test:fuzz` asks for more. */
const MUTANTS = Number(process.env["FUZZ_STATES"] ?? 40);
const CALLS = 50;
/**
 * CPU a byte of a file that a load may take, in microseconds: a hundred times what it takes here. Small files create an
 * agent as large ones do, hence the time that each load may take beside.
 */
const [LOAD_US_A_BYTE, LOAD_US, CALL_US] = [20, 200_000, 100_000] as const;

const FEATURES = everyGroup({
  size: 4,
  words: { size: 2, words: ["blitz", "chess"], counts: [1, 1], rows: [1, 2, -2, 1] },
  user: [{ name: "age", encode: { kind: "running" } }],
  stream: [
    { name: "viewers", encode: { kind: "running" } },
    { name: "joinRate", encode: { kind: "log" } },
  ],
});

/** A recommender in the middle of its work: decisions wait, watches run, all tables hold something. */
function working(): Recommender {
  const recommender = new Recommender({
    seed: 1,
    features: FEATURES,
    maxCandidates: 12,
    nextCandidates: 4,
    warmupUpdates: 10,
    learner: { learningStarts: 20, capacity: 60, hidden: [4], batchSize: 8, cqlAlpha: 0.1 },
    reward: { signals: { tip: {} } },
    pending: { delayMs: 60_000, nStep: 2 },
    towers: { probe: 0.5 },
  });
  simulate(recommender, { viewers: 6, streamers: 16, days: 1, seed: 3 });
  const now = recommender.time;
  const { id, slate } = recommender.recommend({ user: "v1", now, k: 4 });
  const about = { user: "v1", stream: slate[0]!, time: now };
  const more: LiveEvent[] = [
    { kind: "user", user: "v1", time: now, age: 30, region: "eu", language: "en" },
    { kind: "click", ...about, decision: id },
    { kind: "heartbeat", ...about, watchMs: 1000, decision: id },
    { kind: "signal", ...about, name: "tip", value: 2, decision: id },
    { kind: "gift", ...about, amount: 3 },
    { kind: "follow", ...about },
    { kind: "rating", ...about, rating: 1 },
    { kind: "friend", user: "v1", friend: "v2", time: now },
    { kind: "heartbeat", user: "v2", stream: slate[1]!, time: now, watchMs: 70_000 },
    { kind: "update", stream: slate[1]!, time: now, viewers: 9, title: "blitz chess", tags: ["chess"] },
  ];
  for (const event of more) recommender.feedback(event);
  recommender.recommend({ user: "v2", now, k: 4 });
  recommender.recordDecision({ id: "other-1", user: "v3", time: now, slate });
  return recommender;
}

let file: Uint8Array | undefined;

/** The parts of the file of a working recommender, to be changed. */
function saved(): Parts {
  if (file === undefined) {
    const recommender = working();
    file = recommender.save();
    recommender.dispose();
  }
  return partsOf(file);
}

/** Calls of all kinds, from the time of the file on. Whatever they throw but an EventError fails the test. */
function use(recommender: Recommender, random: Random): void {
  let now = recommender.time;
  let last: { id: string; slate: string[] } = { id: "dqn-0", slate: [] };
  const call = (run: () => void) => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
    }
  };
  for (let i = 0; i < CALLS; i++) {
    now += random.pick([0, 1000, 60_000, 3_600_000, 86_400_000]);
    const user = random.pick(["v1", "v2", "v3", "v4", "new"]);
    const stream = random.pick([...last.slate, "s1", "s2", "new"]);
    const about = { user, stream, time: now };
    const named = { ...about, decision: last.id };
    const event = random.pick<LiveEvent>([
      { kind: "click", ...named },
      { kind: "watch", ...named, watchMs: random.below(600_000) },
      { kind: "heartbeat", ...named, watchMs: random.below(100_000) },
      { kind: "impression", ...named },
      { kind: "like", ...about },
      { kind: "dislike", ...about },
      { kind: "comment", ...about },
      { kind: "purchase", ...named, amount: 3 },
      { kind: "signal", ...named, name: "tip", value: 1 },
      { kind: "page_view", user, time: now, dwellMs: 9000 },
      { kind: "on_air", stream, streamer: "new", category: "chess", title: "blitz", tags: ["chess"], time: now },
      { kind: "update", stream, time: now, viewers: random.below(50) },
      { kind: "off_air", stream, time: now },
    ]);
    call(() => recommender.feedback(event));
    call(() => {
      last = recommender.recommend({ user, now, k: 1 + random.below(5), explain: i % 10 === 0 });
    });
    if (i % 9 === 0) call(() => void recommender.rank({ user, now, k: 3 }));
    if (i % 17 === 0) recommender.profile(user);
  }
  recommender.forget("v1");
  recommender.forgetStreamer("new");
  recommender.learn(2);
  const numbers = Object.entries(recommender.stats()).filter(([, value]) => !Number.isFinite(value));
  expect(numbers.filter(([name]) => name !== "loss")).toEqual([]);
}

const micros = ({ user, system }: NodeJS.CpuUsage) => user + system;

/** How a file is answered: the message of a SnapshotError, or that it serves. */
function answer(file: Uint8Array, what: string, random: Random): string {
  const before = process.cpuUsage();
  let recommender: Recommender;
  try {
    recommender = Recommender.load(file, { features: FEATURES });
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw new Error(`load, ${what}: ${String(error)}`, { cause: error });
    return error.message;
  } finally {
    const took = micros(process.cpuUsage(before));
    expect(took, `CPU of load, ${what}`).toBeLessThan(LOAD_US + LOAD_US_A_BYTE * file.length);
  }
  const started = process.cpuUsage();
  try {
    use(recommender, random);
    Recommender.load(recommender.save(), { features: FEATURES }).dispose();
  } catch (error) {
    throw new Error(`use, ${what}: ${String(error)}`, { cause: error });
  } finally {
    recommender.dispose();
  }
  expect(micros(process.cpuUsage(started)), `CPU of use, ${what}`).toBeLessThan(2 * CALLS * CALL_US);
  return "serves";
}

/** A message that names a part, and does not come from the middle of some work. */
const NAMED =
  /^(?!.*(?:Cannot|iterable|not a function)).*(?:"[\w.-]+"|agent|reward|JSON|reader|features|SHA-256|snapshot)/;

/** Answers for mutants; each refusal names a part. */
function answers(make: (parts: Parts, random: Random) => { what: string; text?: string }, seed: number) {
  const random = new Random(seed);
  const count = { serves: 0, refused: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < MUTANTS; i++) {
    const parts = saved();
    const { what, text } = make(parts, random);
    try {
      const said = answer(text === undefined ? forged(parts) : forged(parts, text), `mutant ${i}, ${what}`, random);
      if (said === "serves") count.serves++;
      else if (NAMED.test(said)) count.refused++;
      else wrong.push(`refused without a name, ${what}: ${said}`);
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  expect(wrong).toEqual([]);
  return count;
}

test("an unchanged file serves", () => {
  expect(answer(forged(saved()), "unchanged", new Random(1))).toBe("serves");
  expect(Buffer.compare(forged(saved()), file!)).toBe(0);
});

test(`${MUTANTS} files with a fault in their JSON are refused with its place, or give a recommender that serves`, () => {
  const count = answers((parts, random) => {
    const lines = Object.values(parts.lines).filter(({ length }) => length > 0);
    const root = random.pick([parts.json, parts.json, ...lines]);
    return { what: mutate(root, random.pick(pathsOf(root)), random) };
  }, 1);
  expect(count.refused).toBeGreaterThan(MUTANTS / 3);
  expect(count.serves).toBeGreaterThan(MUTANTS / 50);
});

test(`${MUTANTS} files with a fault in their numbers, too`, () => {
  const count = answers((parts, random) => ({ what: mutateBytes(parts, random) }), 2);
  expect(count.refused).toBeGreaterThan(MUTANTS / 3);
});

test(`${MUTANTS} files with several faults, too`, () => {
  const count = answers((parts, random) => {
    const faults = Array.from({ length: 1 + random.below(4) }, () =>
      mutate(parts.json, random.pick(pathsOf(parts.json)), random),
    );
    return { what: faults.join("; ") };
  }, 3);
  expect(count.refused).toBeGreaterThan(MUTANTS / 2);
});

/** A part of one frame. */
function framed(write: (out: ByteWriter) => void): Uint8Array {
  const [frame, head] = [new ByteWriter(), new ByteWriter()];
  write(frame);
  head.u32(frame.length);
  return Buffer.concat([head.slice(), frame.slice()]);
}

/** A user with two entries of one streamer among the pairs. */
function twice(out: ByteWriter): void {
  const record = new ByteWriter();
  record.f64(0);
  // Watching, the profile, age, four traits, pages, ratings, categories, tags, pairs, and five more.
  for (const entries of [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]) record.varint(entries);
  // All names in two bytes each: one name twice.
  record.varint(0);
  record.u16(0);
  record.u16(0);
  // Codes of the 46 numbers of the profile, and of eleven columns, that are all 0.
  record.raw(new Uint8Array(Math.ceil(46 / 4) + 11));
  out.text("u");
  out.f64(0);
  out.u24(record.length);
  out.raw(record.slice());
  out.text("ann");
}

/** The rates of a stream without counts. */
function rates(out: ByteWriter, index: number, trend: readonly number[]): void {
  out.u8(1);
  out.varint(index);
  out.varint(0);
  for (const number of trend) out.f64(number);
  for (let i = 0; i < 24; i++) out.varint(0);
}

const noise = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const agentOf = (options: Partial<DQNOptions>) =>
  new DQN({ observation: 4, actions: 2, hidden: [4], ...options }).save();

/** Faults by intent, and what is said of each. */
const FAULTS: Record<string, [fault: (parts: Parts, json: Json) => void, said: RegExp]> = {
  "a backlog that would never end": [(_, json) => (json.pace.waiting = 1e15), /^serves$/],
  "a backlog below 0": [
    (_, json) => (json.pace.untrained = -1),
    /"file.pace.untrained" must be an integer >= 0, got -1/,
  ],
  "decisions below 0": [(_, json) => (json.counts.decisions = -1), /"file.counts.decisions" must be an integer >= 0/],
  "the end of time": [(_, json) => (json.intake.clock.time = 1e308), /^serves$/],
  "no latest time": [(_, json) => (json.intake.latest = null), /"file.intake.latest" must be .*got null/],
  "a time in words": [(_, json) => (json.intake.clock.host = "abc"), /"file.intake.clock.host" must be .*got "abc"/],
  "rounds without end": [
    (_, json) => (json.options.updatesPerTrain = 4294967296),
    /"updatesPerTrain" must be an integer/,
  ],
  "a decision learned from for ever": [
    ({ lines }) => ((lines["decisions"] as Json)[0].times = 1e15),
    /"pending.entries.0.times" must be an integer in \[0, 10000\], got 1000000000000000/,
  ],
  "candidates beyond the floats": [
    ({ lines }) => ((lines["decisions"] as Json)[0].candidates = 4e9),
    /"pending.entries.0.*" must be/,
  ],
  "the same decision twice": [
    ({ lines }) => {
      const decisions = lines["decisions"] as Json[];
      const { id } = decisions[0];
      decisions[1].id = id;
    },
    /"pending.entries" must be without an item twice/,
  ],
  "a deadline of nobody": [
    ({ lines }) => lines["deadlines"]!.push({ time: 0, user: "nobody" }),
    /"pending" must be without deadlines of users who have no decision/,
  ],
  "a stream of a streamer without a name": [
    ({ lines }) => ((lines["catalogue"] as Json)[1][1].streamer = ""),
    /"catalogue.1.stream.streamer" must be a string of 1 to 256 characters without control characters, got ""/,
  ],
  "a stream whose name breaks a line": [
    ({ lines }) => ((lines["catalogue"] as Json)[0][1].id = "s\n1"),
    /"catalogue.0.stream.id" must be .* without control characters/,
  ],
  "a tag of a megabyte": [
    ({ lines }) => ((lines["catalogue"] as Json)[0][1].tags = ["x".repeat(1 << 20)]),
    /"catalogue.0.stream.tags" must be an array of at most 32 strings/,
  ],
  "a decision of a user without a name": [
    ({ lines }) => ((lines["decisions"] as Json)[0].user = ""),
    /"pending.entries.0.user" must be a string of 1 to 256/,
  ],
  "a mean whose squares overflow": [
    (_, json) => {
      const [, own] = json.scenes.state.keepers.find(([name]: Json) => name === "columns");
      own.user[0].encode.mean = 1e308;
    },
    /"[\w.]*encode.mean" must be in \[-1e\+100, 1e\+100\], got 1e\+308/,
  ],
  "viewers that nobody can count": [
    ({ bytes }) =>
      bytes.set(
        "kept.moments",
        framed((out) => rates(out, 0, [0, 1, 60_000, 1.7e308, 1.7e308])),
      ),
    /"kept.moments.0.trend" must be in \[-1, 40\]/,
  ],
  "the same stream twice": [
    ({ lines }) => lines["catalogue"]!.push(lines["catalogue"]![0]),
    /"catalogue.\d+.stream.id" must be a new one/,
  ],
  "a stream that ended twice": [
    ({ lines }) => {
      const gone = lines["catalogue"]!.find((record) => (record as Json)[0] === "gone");
      lines["catalogue"]!.push(gone);
    },
    /"catalogue.\d+.gone.id" must be a new one/,
  ],
  "a record of no kind": [
    ({ lines }) => lines["catalogue"]!.push(["constructor", {}]),
    /"catalogue.\d+.0" must be a kind of record, got "constructor"/,
  ],
  "signs of one stream twice": [
    ({ lines }) => lines["signs"]!.push(["s", 1], ["s", 2]),
    /"signs.\d+" must be a new one of at most Infinity, got "s"/,
  ],
  "a user forgotten at no time": [
    ({ lines }) => lines["forgotten"]!.push([7, null]),
    /"forgotten.\d+.1" must be a finite number, got null/,
  ],
  "rates of no stream": [
    ({ bytes }) =>
      bytes.set(
        "kept.moments",
        framed((out) => rates(out, 1e9, [-1, -1, -1, -1, -1])),
      ),
    /"kept.moments.0.index" must be at most \d+, got 1000000000/,
  ],
  "rates of two marks at once": [
    ({ bytes }) =>
      bytes.set(
        "kept.moments",
        framed((out) => rates(out, 0, [1000, 0, 1000, 0, 0])),
      ),
    /"kept.moments.0" must be of two marks/,
  ],
  "rates of a stream twice": [
    ({ bytes }) => {
      const frame = framed((out) => rates(out, 0, [-1, -1, -1, -1, -1]));
      bytes.set("kept.moments", Buffer.concat([frame, frame]));
    },
    /"kept.moments.1" must be rows in ascending order/,
  ],
  "200,000 hashes in one place": [
    ({ bytes }) =>
      bytes.set(
        "kept.moments",
        framed((out) => {
          out.u8(0);
          out.raw(new Uint8Array(Uint32Array.from({ length: 600_000 }, (_, i) => (i % 3 < 2 ? i : 0)).buffer));
        }),
      ),
    /^serves$/,
  ],
  "a generator of one word": [(_, json) => (json.random = [1]), /"file.random" must be an array of 4 to 4, got \[1\]/],
  "a generator of zeros": [(_, json) => (json.random = [0, 0, 0, 0]), /^serves$/],
  "a keeper too many": [
    (_, json) => json.scenes.state.keepers.push(["more", {}, 0]),
    /"state.keepers" must be those of the features/,
  ],
  "vectors of a gigabyte": [
    (_, json) => {
      json.options.features.find(({ name }: Json) => name === "taste").options = { size: 1e9 };
      json.options.features.find(({ name }: Json) => name === "vectors").options = { size: 1e9 };
    },
    /"vectors.size" must be an integer in \[1, 1024\]/,
  ],
  "a variance below 0": [
    (_, json) => (json.scenes.state.users.returns.covariance[15] = -0.5),
    /"users.returns.covariance" must be a covariance/,
  ],
  "columns that are no list": [
    (_, json) => {
      json.options.features.find(({ name }: Json) => name === "columns").options.stream = 9;
    },
    /"columns.stream" must be/,
  ],
  "an option of no use": [(_, json) => (json.options.mmr = 1), /"mmr" is not an option/],
  "a name twice in a table of a user": [
    ({ bytes }) => bytes.set("users", framed(twice)),
    /"users.0.pairs.1" must not have the name of another entry/,
  ],
  "half an entry of a window": [
    ({ bytes }) => bytes.set("events", noise(8, 1)),
    /"events" must be entries of three words/,
  ],
  "decisions that are NaN": [
    ({ bytes }) => bytes.set("pending", noise(bytes.get("pending")!.length, 255)),
    /"pending" must be finite numbers/,
  ],
  "decisions that are missing": [
    ({ bytes }) => bytes.set("pending", noise(8, 0)),
    /"pending" must be \d+ numbers of 4 bytes, got 8 bytes/,
  ],
  "decisions of odd bytes": [
    ({ bytes }) => bytes.set("pending", noise(7, 0)),
    /"pending" must be \d+ numbers of 4 bytes, got 7 bytes/,
  ],
  "numbers of no keeper": [
    ({ bytes }) => bytes.set("state", noise(8, 255)),
    /"state" must be 0 numbers of 4 bytes, got 8 bytes/,
  ],
  "towers that are NaN": [
    ({ bytes }) =>
      bytes.set(
        "towers",
        framed((out) => {
          out.u8(1);
          for (let i = 0; i < 4; i++) out.f32(Number.NaN);
        }),
      ),
    /"towers.0" must be numbers in/,
  ],
  "towers of half of the streams": [
    ({ bytes }) =>
      bytes.set(
        "towers",
        framed((out) => out.u8(0)),
      ),
    /"towers" must have \d+ rows, got 1/,
  ],
  "an agent of fixed actions": [({ bytes }) => bytes.set("agent", agentOf({})), /the file's agent has/],
  "an agent of other rows": [
    ({ bytes }) => {
      const candidates = { max: 12, features: 4, next: 4 };
      bytes.set("agent", new DQN({ observation: 4, candidates, hidden: [4], slate: { size: 4 } }).save());
    },
    /the file's agent has/,
  ],
};

test.each(Object.entries(FAULTS))("a file with %s is answered at once", (_, [fault, said]) => {
  const parts = saved();
  fault(parts, parts.json);
  expect(answer(forged(parts), "forged by intent", new Random(4))).toMatch(said);
});

test.each([
  ["nothing", ""],
  ["null", "null"],
  ["an array", "[]"],
  ["a text", '"x"'],
  ["half of an object", "{"],
  ["an object of nothing", "{}"],
  ["a deep array", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["a deep object", `${'{"options":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["many fields", `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}`],
  ["a byte that is no text", "\ud800"],
])("a file whose state is %s is refused", (_, text) => {
  const parts = saved();
  expect(answer(forged(parts, text), "other JSON", new Random(5))).toMatch(NAMED);
});
