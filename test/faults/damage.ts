import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { Random } from "../../src/numeric/random.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { diskFolder, openLog, SqliteStore, StorageError } from "../../src/storage/index.js";
import { type FaultCase, progress } from "./case.js";
import { Host } from "./host.js";

/** A folder with three checkpoints and the log behind the oldest. */
async function filled(dir: string): Promise<string> {
  const host = await new Host().start(openLog(await SqliteStore.open(dir)), diskFolder(join(dir, "checkpoints")), 100);
  await host.air();
  for (let i = 0; i < 400; i++) {
    host.time += 60_000;
    const { id: decision, user, slate } = host.edge.recommend({ user: `u${i % 7}`, k: 2 });
    const click: LiveEvent = { kind: "click", time: host.time, user, stream: slate[0]!, decision };
    await host.edge.feed([click]);
    if (i % 50 === 0) await host.edge.settled();
  }
  const hash = await host.hash();
  await host.edge.close();
  return hash;
}

/** All files of a folder that a server reads. */
function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((file) => statSync(file).isFile() && statSync(file).size > 0);
}

/** Flips a bit, fills a part with zeros, or cuts the end off. */
function damage(file: string, random: Random): string {
  const { size } = statSync(file);
  const which = random.below(3);
  if (which === 0) {
    const end = random.below(size);
    truncateSync(file, end);
    return `cut to ${end} of ${size}`;
  }
  const bytes = readFileSync(file);
  const at = random.below(size);
  if (which === 1) bytes[at] = bytes[at]! ^ (1 << random.below(8));
  else bytes.fill(0, at, Math.min(size, at + 1 + random.below(4096)));
  writeFileSync(file, bytes);
  return which === 1 ? `bit at ${at}` : `zeros at ${at}`;
}

/**
 * Files that were cut, or whose bits were flipped: a server begins with the very state that was saved, or refuses to begin and
 * says what is damaged; it never begins with another state.
 */
export const DAMAGE: FaultCase = {
  ...{ name: "damaged files", unit: "damages", full: 1000, few: 20, part: 250 },
  async run(count, seed, tell) {
    mkdirSync(".build", { recursive: true });
    const folder = mkdtempSync(resolve(".build", "damage-"));
    const random = Random.named(seed, "damage");
    const step = progress(tell, "damages", count);
    let [same, refused, other] = [0, 0, 0];
    try {
      const hash = await filled(join(folder, "good"));
      for (let i = 0; i < count; i++) {
        const dir = join(folder, "bad");
        rmSync(dir, { recursive: true, force: true });
        cpSync(join(folder, "good"), dir, { recursive: true });
        const file = random.pick(filesOf(dir));
        const what = damage(file, random);
        const outcome = await begun(dir);
        if (outcome === hash) same++;
        else if (outcome === "refused") refused++;
        else {
          other++;
          tell(`another state after ${what} in ${file.slice(dir.length + 1)}`);
        }
        step(i + 1);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return [
      { metric: "begun_with_the_saved_state", value: same, unit: "starts" },
      { metric: "refused_as_damaged", value: refused, unit: "starts" },
      { metric: "begun_with_another_state", value: other, unit: "starts", most: 0 },
    ];
  },
};

/** The state that a server of a folder begins with, or `refused`. */
async function begun(dir: string): Promise<string> {
  const host = new Host();
  let log: ReturnType<typeof openLog> | undefined;
  try {
    log = openLog(await SqliteStore.open(dir));
    await host.start(log, diskFolder(join(dir, "checkpoints")));
    const hash = await host.hash();
    await host.edge.close();
    return hash;
  } catch (error) {
    await log?.close().catch(() => {});
    if (error instanceof StorageError) return "refused";
    throw error;
  }
}
