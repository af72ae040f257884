import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LiveEvent } from "../../src/protocol/index.js";
import { learnerHash } from "../support/learned.js";
import { Served } from "../support/served.js";
import type { FaultCase } from "./case.js";

/** Bytes of the small disk, and of what fills it. */
const [SIZE, FILLER] = [12 << 20, 4 << 20];

/** A disk of a few megabytes, where the system lets this user have one. */
export function smallDisk(): { path: string; end(): void } | undefined {
  mkdirSync(".build", { recursive: true });
  const path = mkdtempSync(resolve(".build", "space-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path], { stdio: "ignore" });
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    end() {
      // Lazily: what failed may have left a process with a file on it.
      execFileSync("umount", ["-l", path]);
      rmSync(path, { recursive: true });
    },
  };
}

/** A disk that fills up and gets space again, several times: events get 507 and slates are answered, and nothing is lost. */
export const SPACE: FaultCase = {
  ...{ name: "disk full", unit: "fillings", full: 20, few: 8, part: 20 },
  async run(count, _seed, tell) {
    const disk = smallDisk();
    if (disk === undefined) {
      tell("skipped: this user may mount no small disk");
      return [{ metric: "fillings_skipped", value: count, unit: "fillings" }];
    }
    const dir = join(disk.path, "data");
    const filler = join(disk.path, "filler");
    let [refused, sent] = [0, 0];
    const acknowledged: LiveEvent[] = [];
    const server = new Served(["--dir", dir, "--seed", "5", "--checkpoint-every", "2000"]);
    let next: Served | undefined;
    try {
      await server.start();
      await server.ask("PUT", "/v1/streams/s1", { streamer: "r", category: "c" });
      const send = async () => {
        const events = Array.from({ length: 200 }, (): LiveEvent => {
          return { kind: "like", time: Date.now(), user: `u${sent % 50}`, stream: "s1", id: `e${sent++}` };
        });
        const { status } = await server.ask("POST", "/v1/events", events);
        if (status === 200) acknowledged.push(...events);
        return status;
      };
      for (let i = 0; i < count; i++) {
        for (let size = FILLER; size > 0; size = Math.floor(size / 2)) {
          try {
            writeFileSync(filler, new Uint8Array(size), { flag: "a" });
          } catch {
            // As much as there was room for.
          }
        }
        let status = 200;
        for (let tries = 0; status === 200 && tries < 500; tries++) status = await send();
        if (status !== 507) throw new Error(`a full disk was answered with ${status}: ${server.told}`);
        refused++;
        const slate = await server.ask("POST", "/v1/recommend", { user: "u1", k: 1 });
        if (slate.status !== 200) throw new Error(`a slate was answered with ${slate.status}`);
        rmSync(filler, { force: true });
        const again = await send();
        if (again !== 200) throw new Error(`with space again, events were answered with ${again}: ${server.told}`);
        tell(`filling ${i + 1} of ${count}`);
      }
      await server.stop("SIGKILL");
      next = await new Served(["--dir", dir, "--seed", "5"]).start();
      for (let at = 0; at < acknowledged.length; at += 5000) {
        const some = acknowledged.slice(at, at + 5000);
        const { body } = await next.ask("POST", "/v1/events", some);
        if (body.duplicates !== some.length) throw new Error(`lost: ${JSON.stringify(body).slice(0, 300)}`);
      }
      await next.stop("SIGTERM");
      await learnerHash(dir, 5);
    } finally {
      for (const one of [server, next]) one?.child.kill("SIGKILL");
      disk.end();
    }
    return [
      { metric: "answers_507", value: refused, unit: "answers", least: count },
      { metric: "acknowledged_events", value: acknowledged.length, unit: "events" },
      { metric: "events_lost", value: 0, unit: "events", most: 0 },
    ];
  },
};
