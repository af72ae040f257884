import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };

/** One measured figure; every command that measures writes an array of these with --json. */
export interface Row {
  /** The command: `recommender`, `learning`, ... */
  suite: string;
  /** What was run: `livesim/dqn`, `ml-100k/itemknn`, ... */
  case: string;
  /** What was measured: `watch_min_per_user_day`, `hr_at_10`, ... */
  metric: string;
  value: number;
  unit: string;
  /** The 95 % interval. */
  lo?: number;
  hi?: number;
  n?: number;
  seeds?: number[];
}

export const version: string = packageJson.version;

/** The commit of the checkout that this runs from; "unknown" where there is none. */
function commit(): string {
  try {
    const answer = execFileSync("git", ["rev-parse", "--show-toplevel", "HEAD"], {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [top, head] = answer.split("\n");
    // Installed below another project's checkout, the commit would be that project's.
    return existsSync(join(top!, "assembly", "dqn.wasm.sha256")) ? head!.slice(0, 12) : "unknown";
  } catch {
    return "unknown";
  }
}

/** Writes rows with what they were measured on. */
export function writeRows(file: string, rows: readonly Row[]): void {
  const where = {
    runtime: `node ${process.versions.node}`,
    machine: `${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`,
    version,
    commit: commit(),
  };
  writeFileSync(
    file,
    `${JSON.stringify(
      rows.map((row) => ({ ...row, ...where })),
      null,
      2,
    )}\n`,
  );
}
