/** How urgent a line is, the most urgent first. */
export const LEVELS = ["error", "warn", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

/** What a line tells beside its message. */
export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a journal writes. */
export interface JournalOptions {
  /** The least urgent level that is written. */
  level: Level;
  format: "text" | "json";
  /** Takes a line with its end. */
  write: (line: string) => void;
  /** Milliseconds since the Unix epoch. */
  now: () => number;
}

/** What a server tells of itself: a line each, for people or as JSON. */
export class Journal {
  readonly #options: JournalOptions;
  readonly #depth: number;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#depth = LEVELS.indexOf(options.level);
  }

  /** Whether lines of a level are written: facts that nobody reads need not be gathered. */
  has(level: Level): boolean {
    return LEVELS.indexOf(level) <= this.#depth;
  }

  /**
   * Writes a line.
   *
   * @param event What happened, in one word, for programs: `started`.
   * @param message The same for people.
   */
  tell(level: Level, event: string, message: string, facts: Facts = {}): void {
    if (!this.has(level)) return;
    const { format, now, write } = this.#options;
    if (format === "json") {
      const time = new Date(now()).toISOString();
      write(`${JSON.stringify({ time, level, event, message, ...facts })}\n`);
      return;
    }
    // People read the message; of a request, which has none, its facts.
    const rest = message === "" ? Object.entries(facts).map(([name, value]) => `${name}=${plain(value)}`) : [];
    write(`liveq: ${[...(message === "" ? [event] : [plain(message)]), ...rest].join(" ")}\n`);
  }

  /** Writes what went wrong. */
  fail(event: string, error: unknown, facts: Facts = {}): void {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error && this.has("debug") ? error.stack : undefined;
    this.tell("error", event, message, { ...facts, ...(stack !== undefined && { stack }) });
  }
}

/** A text on one line: what comes from outside must not look like another line. */
function plain(value: unknown): string {
  const code = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return String(value).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, code);
}
