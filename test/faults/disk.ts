import { Random } from "../../src/numeric/random.js";
import { Checkpoints, type Disk, type EventLog, openLog } from "../../src/storage/index.js";
import { SimulatedDisk, SimulatedStore } from "../support/disk.js";
import { type FaultCase, progress } from "./case.js";

/** A step of durability that is left out. */
export type Step = "flush of blocks" | "flush of files" | "flush of names" | "trim to the oldest" | "check of files";

/** A learner whose state is the list of what it learned: order and number of all records. */
class Learner {
  readonly learned: number[] = [];

  async learn(log: EventLog): Promise<void> {
    for await (const { sequence, bytes } of log.read(this.learned.length)) {
      if (sequence !== this.learned.length) throw new Error(`${sequence} after ${this.learned.length} records`);
      this.learned.push(bytes[0]! | (bytes[1]! << 8));
    }
  }

  save(): Uint8Array[] {
    return [new TextEncoder().encode(JSON.stringify(this.learned))];
  }

  static load(pieces: Iterable<Uint8Array>): Learner {
    const learner = new Learner();
    learner.learned.push(...JSON.parse(Buffer.concat([...pieces]).toString()));
    return learner;
  }
}

/** The disk without one of its steps. */
function faulty(disk: SimulatedDisk, fault: Step | undefined): Disk {
  return {
    list: () => disk.list(),
    create(name) {
      const file = disk.create(name);
      return fault === "flush of files"
        ? { write: (bytes) => file.write(bytes), sync() {}, close: () => file.close() }
        : file;
    },
    rename: (name, to) => disk.rename(name, to),
    remove: (name) => disk.remove(name),
    sync: () => (fault === "flush of names" ? undefined : disk.sync()),
    read: (name) => disk.read(name),
  };
}

/** Lives through crashes. @throws Error if an acknowledged record is lost, learned twice, or in another place. */
export async function live(seed: number, fault?: Step): Promise<number> {
  const random = new Random(seed);
  const disk = new SimulatedDisk();
  const keep = 1 + random.below(3);
  let store = new SimulatedStore(fault === "flush of blocks");
  let [log, learner] = [openLog(store), new Learner()];
  let checkpoints = new Checkpoints(faulty(disk, fault), keep);
  const acknowledged: number[] = [];
  let crashes = 0;
  for (let step = 0; step < 30; step++) {
    const what = random.below(10);
    if (what < 5) {
      const batch = Array.from({ length: 1 + random.below(3) }, () => random.below(65_536));
      const first = await log.append(batch.map((value) => Uint8Array.of(value & 255, value >> 8)));
      if (first !== acknowledged.length) throw new Error(`${first} was acknowledged after ${acknowledged.length}`);
      acknowledged.push(...batch);
      if (random.bernoulli(0.5)) await learner.learn(log);
    } else if (what < 8) {
      await checkpoints.write(learner.learned.length, learner.save());
      await log.trim(fault === "trim to the oldest" ? learner.learned.length : checkpoints.trimTo);
    } else {
      crashes++;
      disk.crash(random);
      // All but one of the kept ones may rot.
      const kept = checkpoints.list();
      if (kept.length === keep) for (let i = 0; i < random.below(keep); i++) disk.rot(kept[i]!.name, random);
      store = store.crashed(random);
      log = openLog(store);
      checkpoints = new Checkpoints(faulty(disk, fault), keep);
      const newest = fault === "check of files" ? checkpoints.list()[0] : checkpoints.newest();
      learner = newest === undefined ? new Learner() : Learner.load(disk.read(newest.name));
      await learner.learn(log);
      if (String(learner.learned) !== String(acknowledged)) throw new Error(`seed ${seed}: another past`);
    }
  }
  return crashes;
}

/** The steps, each of which must be missed. */
export const STEPS: readonly Step[] = [
  ...(["flush of blocks", "flush of files", "flush of names", "trim to the oldest", "check of files"] as const),
];

export const DISK: FaultCase = {
  ...{ name: "simulated disk", unit: "lives", full: 100_000, few: 150, part: 10_000 },
  async run(count, seed, tell) {
    const step = progress(tell, "lives", count);
    let crashes = 0;
    for (let i = 0; i < count; i++) {
      crashes += await live(seed * 10_000 + i);
      step(i + 1);
    }
    return [
      { metric: "crashes", value: crashes, unit: "crashes" },
      { metric: "records_lost_or_learned_twice", value: 0, unit: "records", most: 0 },
    ];
  },
};

export const WITHOUT: FaultCase = {
  ...{
    name: "a step of durability left out",
    unit: "steps",
    full: STEPS.length,
    few: STEPS.length,
    part: STEPS.length,
  },
  async run(_count, _seed, tell) {
    let missed = 0;
    for (const step of STEPS) {
      let [lives, isFound] = [0, false];
      while (!isFound && lives < 10_000)
        isFound = await live(lives++, step).then(
          () => false,
          () => true,
        );
      tell(`without the ${step} a life fails after ${lives}`);
      if (isFound) missed++;
    }
    return [{ metric: "steps_whose_absence_is_found", value: missed, unit: "steps", least: STEPS.length }];
  },
};
