import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Judged, Who } from "../jobs/tasks.js";
import { UsageError } from "../reading/arguments.js";

/** The first line of a trials' file: what its trials depend on beside their options. */
export type Setting = Readonly<Record<string, unknown>>;

/** A part of a trial that has ended. */
export interface EndedPart {
  who: Who;
  part: string;
  /** Undefined where it failed. */
  judged?: Judged;
  error?: string;
  seconds: number;
}

/** The trials of `liveq tune`, in a file of JSON lines that grows by a line whenever a part of a trial has ended. */
export class TrialsFile {
  readonly #file: string;
  readonly #parts = new Map<string, EndedPart>();

  /** @throws UsageError for a file of another setting, or that is none of trials. */
  constructor(file: string, setting: Setting) {
    this.#file = file;
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const [first, ...lines] = text.split("\n");
    if (text === "") this.#append({ setting });
    else {
      requireSame(file, first!, setting);
      // A killed process leaves a torn line, which was no trial yet.
      for (const part of lines.flatMap((line) => partIn(line) ?? [])) this.#parts.set(keyOf(part.who, part.part), part);
      if (!text.endsWith("\n")) appendFileSync(file, "\n");
    }
  }

  /** Number of parts in the file. */
  get size(): number {
    return this.#parts.size;
  }

  get(who: Who, part: string): EndedPart | undefined {
    return this.#parts.get(keyOf(who, part));
  }

  add(part: EndedPart): void {
    this.#parts.set(keyOf(part.who, part.part), part);
    this.#append(part);
  }

  #append(line: object): void {
    try {
      appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
    } catch (cause) {
      throw new Error(`${this.#file}: cannot be written: ${(cause as Error).message}`, { cause });
    }
  }
}

function keyOf(who: Who, part: string): string {
  return `${JSON.stringify(who)} ${part}`;
}

function requireSame(file: string, line: string, setting: Setting): void {
  let held: Record<string, unknown> | undefined;
  try {
    held = (JSON.parse(line) as { setting?: Record<string, unknown> } | null)?.setting;
  } catch {
    held = undefined;
  }
  if (typeof held !== "object" || held === null)
    throw new UsageError(`${file}: must be a file of trials, or not there`);
  const names = [...new Set([...Object.keys(held), ...Object.keys(setting)])];
  const other = names.find((name) => JSON.stringify(held[name]) !== JSON.stringify(setting[name]));
  if (other === undefined) return;
  const [had, has] = [held, setting].map((one) => JSON.stringify(one[other]) ?? "none");
  throw new UsageError(`${file} holds trials with another ${other}: ${had}, now ${has}; give another "--out"`);
}

function partIn(line: string): EndedPart | undefined {
  try {
    const part = JSON.parse(line) as EndedPart | null;
    const isPart =
      typeof part?.part === "string" && (typeof part.error === "string" || Array.isArray(part.judged?.sums));
    return isPart ? part : undefined;
  } catch {
    return undefined;
  }
}
