import { renameSync } from "node:fs";
import { readRows, type StoredRow, stamped, writeRows } from "../../src/cli/writing/results.js";
import type { Result, Suite, Task } from "./suite.js";

/**
 * The rows of a command, written to its file after each task. Rows carry the hash of their task's recipe, by which a later
 * run knows the tasks that are done.
 */
export class Ledger {
  readonly #suite: string;
  readonly #slotOf: (row: StoredRow) => string;
  readonly #file: string | undefined;
  readonly #tasks: readonly Task[];
  /** Rows of the file that belong to no task of this run. */
  readonly #others: StoredRow[];
  readonly #rows = new Map<Task, StoredRow[]>();

  /**
   * @param tasks - Of this run. Of a case that runs once a seed, rows of other recipes are dropped, and those computed
   * from several seeds.
   * @throws Error for a file that does not hold rows.
   */
  constructor(
    { name, slotOf = (row) => row.case }: Pick<Suite, "name" | "slotOf">,
    file: string | undefined,
    tasks: readonly Task[],
  ) {
    this.#suite = name;
    this.#slotOf = slotOf;
    this.#file = file;
    this.#tasks = tasks;
    const seeded = new Map(tasks.filter(({ seed }) => seed !== undefined).map((task) => [task.case, task.recipe]));
    const byKey = new Map(tasks.map((task) => [keyOf(task), task]));
    const isOwn = (row: StoredRow) => row.recipe !== undefined && seeded.get(row.case) === row.recipe;
    const others: StoredRow[] = [];
    const unasked: StoredRow[] = [];
    for (const row of file ? readRows(file) : []) {
      const recipe = row.recipe ?? "";
      const seed = row.seeds?.length === 1 ? row.seeds[0] : undefined;
      const task = byKey.get(keyOf({ case: row.case, seed, recipe })) ?? byKey.get(keyOf({ case: "", recipe }));
      if (task) this.#rows.set(task, [...(this.#rows.get(task) ?? []), row]);
      else if (isOwn(row)) unasked.push(row);
      else if (!seeded.has(row.case)) others.push(row);
    }
    this.#others = [...others, ...unasked];
  }

  has(task: Task): boolean {
    return this.#rows.has(task);
  }

  /** Forgets the rows of tasks, so that they are measured again. */
  forget(tasks: readonly Task[]): void {
    for (const task of tasks) this.#rows.delete(task);
  }

  /** Of all tasks that are done, in their order. */
  get rows(): StoredRow[] {
    return this.#tasks.flatMap((task) => this.#rows.get(task) ?? []);
  }

  /** More than one where runs of different days are mixed. */
  get commits(): string[] {
    return [...new Set(this.rows.map(({ commit }) => commit))];
  }

  /**
   * Keeps the rows of a task, and writes the file.
   *
   * @param isWhole - Whether all of the task succeeded; if not, a later run does it again.
   */
  add(task: Task, results: readonly Result[], { isWhole = true } = {}): void {
    const { seed } = task;
    const recipe = isWhole ? { recipe: task.recipe } : {};
    const seeds = seed === undefined ? {} : { seeds: [seed] };
    const rows = results.map((result) => ({ suite: this.#suite, case: task.case, ...result, ...seeds, ...recipe }));
    this.#rows.set(
      task,
      stamped(rows).map((row, i) => ({ ...row, ...rows[i] })),
    );
    this.write([]);
  }

  /** Writes the file, if there is one. @param computed - Rows over several seeds. */
  write(computed: readonly (Result & { case: string })[]): void {
    if (!this.#file) return;
    const rows = this.rows;
    const names = [...new Set([...rows, ...computed].map((row) => row.case))];
    const own = names.flatMap((name) => [
      ...rows.filter((row) => row.case === name),
      ...stamped(computed.filter((row) => row.case === name).map((row) => ({ suite: this.#suite, ...row }))),
    ]);
    const seeded = new Set(this.#tasks.filter(({ seed }) => seed !== undefined).map((task) => task.case));
    const slots = new Set(own.filter((row) => !seeded.has(row.case)).map(this.#slotOf));
    const others = this.#others.filter((row) => !slots.has(this.#slotOf(row)));
    // Whole or not at all: an interruption must not cost the runs before.
    const part = `${this.#file}.part`;
    writeRows(part, [...others, ...own]);
    renameSync(part, this.#file);
  }
}

/** A case with seeds is known by its name, seed and recipe; any other by its recipe, which holds its name. */
function keyOf({ case: name, seed, recipe }: { case: string; seed?: number | undefined; recipe: string }): string {
  return seed === undefined ? recipe : `${recipe} ${name} ${seed}`;
}
