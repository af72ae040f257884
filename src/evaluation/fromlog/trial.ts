import type { Recommender } from "../../recommender/index.js";
import type { TimedEntry } from "../decisions/entries.js";
import type { RankingPolicy } from "../replay.js";
import type { LogTeacher } from "./teacher.js";
import { Judge, newAsked, type Validation, type ValidationOptions } from "./validation.js";

/** The recommender of a teacher: it learns an entry when the judge has passed it. */
class Taught implements RankingPolicy {
  readonly name = "recommender";
  readonly asked = newAsked();
  readonly rank: Recommender["rank"];
  readonly #teacher: LogTeacher;
  readonly #from: number;
  /** Entries that the judge holds. */
  readonly #ahead: TimedEntry[] = [];
  #taken = 0;

  constructor(teacher: LogTeacher, from: number) {
    this.#teacher = teacher;
    this.#from = from;
    this.rank = (request) => {
      this.asked.set(request.user, request.now);
      return teacher.recommender.rank(request);
    };
  }

  recommend(): never {
    throw new Error("it only ranks");
  }

  hold(one: TimedEntry): void {
    this.#ahead.push(one);
  }

  feedback({ time }: { time: number }): void {
    this.recordDecision({ time });
  }

  /** Teaches the next entry as it came: the judge passes them in their order, those from the given time on. */
  recordDecision({ time }: { time: number }): void {
    if (time < this.#from) return;
    this.#teacher.teach(this.#ahead[this.#taken++]!);
    if (this.#taken < 1024 || this.#taken * 2 < this.#ahead.length) return;
    this.#ahead.splice(0, this.#taken);
    this.#taken = 0;
  }
}

/**
 * Teaches a recommender a whole log, and judges it on the last part: each visit of that part is ranked before it is learned
 * from, by the recommender and by most popular. What is learned is the same, to the bit, as without.
 */
export class LogTrial {
  readonly #teacher: LogTeacher;
  readonly #from: number;
  readonly #taught: Taught | undefined;
  readonly #judge: Judge | undefined;

  /** @param from - Time from which on visits are cases, milliseconds; undefined: there are none. */
  constructor(teacher: LogTeacher, from: number | undefined, options: ValidationOptions = {}) {
    this.#teacher = teacher;
    this.#from = from ?? Infinity;
    if (from === undefined) return;
    this.#taught = new Taught(teacher, from);
    this.#judge = new Judge(this.#taught, from, options);
  }

  /** Teaches the next entry. */
  teach(one: TimedEntry): void {
    if (one.now < this.#from) this.#teacher.teach(one);
    else this.#taught!.hold(one);
    this.#judge?.take(one);
  }

  /** Takes an entry that the recommender knows: one before the given time. */
  skip(one: TimedEntry): void {
    this.#judge?.take(one);
  }

  /** Teaches what it still holds, and tells how the recommender did; undefined without cases. */
  end(): Validation | undefined {
    const result = this.#judge?.result();
    return result && result.cases > 0 ? result : undefined;
  }
}
