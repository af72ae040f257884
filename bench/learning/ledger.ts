import { renameSync } from "node:fs";
import { type Row, readRows, type StoredRow, stamped, writeRows } from "../../src/cli/writing/results.js";
import type { Job } from "./pool.js";
import { type Case, type Figure, hashOf, type Outcome, type Outcomes } from "./suite.js";

const SUITE = "learning";

/**
 * What was measured, kept in a file after each seed: rows of one seed carry the hash of their recipe, by which a later
 * run knows what it need not do again; all other rows are computed from them.
 */
export class Ledger {
  readonly #file: string | undefined;
  readonly #cases: readonly Case[];
  /** Of other cases: left as they are. */
  readonly #foreign: StoredRow[];
  /** Of single seeds, by case and seed. */
  readonly #runs = new Map<string, StoredRow[]>();

  /**
   * @param cases - Those that this run is about; of them, rows of an older recipe are dropped.
   * @throws Error for a file that holds no rows.
   */
  constructor(file: string | undefined, cases: readonly Case[]) {
    this.#file = file;
    this.#cases = cases;
    const rows = file ? readRows(file) : [];
    const hashes = new Map(cases.map((each) => [each.name, hashOf(each)]));
    this.#foreign = rows.filter((row) => !hashes.has(row.case));
    for (const row of rows) {
      if (row.recipe === undefined || row.recipe !== hashes.get(row.case)) continue;
      const key = keyOf({ case: row.case, seed: row.seeds![0]! });
      this.#runs.set(key, [...(this.#runs.get(key) ?? []), row]);
    }
  }

  has(job: Job): boolean {
    return this.#runs.has(keyOf(job));
  }

  /** Commits of the seeds' rows: more than one where runs of different days are mixed. */
  get commits(): string[] {
    return [...new Set([...this.#runs.values()].flat().map(({ commit }) => commit))];
  }

  /** Takes what a seed came to, and writes the file. */
  add(each: Case, seed: number, figures: readonly Figure[]): void {
    const recipe = hashOf(each);
    const rows = figures.map((figure) => ({ suite: SUITE, case: each.name, ...figure, seeds: [seed], recipe }));
    this.#runs.set(keyOf({ case: each.name, seed }), stamped(rows));
    this.write([]);
  }

  /** Of the seeds that are asked for. */
  outcomes(jobs: readonly Job[]): Outcomes {
    const outcomes = new Map<string, Outcome[]>();
    for (const job of jobs) {
      const rows = this.#runs.get(keyOf(job));
      if (!rows) continue;
      const figures = Object.fromEntries(rows.map(({ metric, value }) => [metric, value]));
      const own = outcomes.get(job.case) ?? [];
      outcomes.set(
        job.case,
        [...own, { seed: job.seed, figures }].sort((a, b) => a.seed - b.seed),
      );
    }
    return outcomes;
  }

  /** Writes the file, if there is one. @param computed - Rows over several seeds. */
  write(computed: readonly Omit<Row, "suite">[]): void {
    if (!this.#file) return;
    const own = this.#cases.flatMap(({ name }) => [
      ...[...this.#runs.values()].flat().filter((row) => row.case === name),
      ...computed.filter((row) => row.case === name).map((row) => ({ suite: SUITE, ...row })),
    ]);
    // Whole or not at all: an interruption must not cost the runs before.
    const part = `${this.#file}.part`;
    writeRows(part, [...this.#foreign, ...own]);
    renameSync(part, this.#file);
  }
}

function keyOf({ case: name, seed }: Job): string {
  return `${name} ${seed}`;
}
