const TERMINAL_EVERY_MS = 100;
/** Without a terminal: a line at this interval or this share of the work, but not more often than the last. */
const PLAIN_EVERY_MS = 10_000;
const PLAIN_EVERY_SHARE = 0.1;
const PLAIN_LEAST_MS = 1000;
/** Share of the work from which on the remaining time is shown. */
const FORESEEABLE = 0.02;

/** The destination of progress: stderr, or a substitute. */
export interface ProgressStream {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  write(text: string): unknown;
}

/** The progress of the work. */
export interface Step {
  /** Units done. */
  count: number;
  /** Share of all work, [0, 1]. Left out if unknown. */
  fraction?: number | undefined;
  /** Further text, such as a loss. A function is called only when the line is shown. */
  text?: string | (() => string);
}

/**
 * Progress on stderr: share, rate, time so far, time left. One changing line on a terminal; elsewhere a plain line every
 * 10 s or 10 %.
 */
export class Progress {
  readonly #unit: string;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #isTerminal: boolean;
  readonly #start: number;
  #last = Number.NEGATIVE_INFINITY;
  #lastFraction = 0;

  /**
   * @param unit - Unit of `count`; `B` for bytes.
   * @param now - Milliseconds.
   */
  constructor(unit: string, stream: ProgressStream = process.stderr, now: () => number = () => performance.now()) {
    this.#unit = unit;
    this.#stream = stream;
    this.#now = now;
    this.#isTerminal = stream.isTTY === true && process.env["TERM"] !== "dumb";
    this.#start = now();
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.#now() - this.#start) / 1000;
  }

  /** Shows the progress, unless it was shown a moment ago. */
  show(step: Step): void {
    const now = this.#now();
    if (!this.#isDue(now, step.fraction ?? 0)) return;
    this.#last = now;
    this.#lastFraction = step.fraction ?? 0;
    const line = this.#line(step);
    this.#stream.write(this.#isTerminal ? `\r\x1b[K${line.slice(0, (this.#stream.columns ?? 80) - 1)}` : `${line}\n`);
  }

  /** Clears the changing line. */
  end(): void {
    if (this.#isTerminal) this.#stream.write("\r\x1b[K");
  }

  #isDue(now: number, fraction: number): boolean {
    const since = now - this.#last;
    if (this.#isTerminal) return since >= TERMINAL_EVERY_MS;
    if (since >= PLAIN_EVERY_MS) return true;
    return since >= PLAIN_LEAST_MS && fraction >= this.#lastFraction + PLAIN_EVERY_SHARE;
  }

  #line({ count, fraction, text }: Step): string {
    const { seconds } = this;
    const parts = [
      fraction === undefined ? amount(count, this.#unit) : `${String(Math.floor(100 * fraction)).padStart(3)} %`,
    ];
    if (seconds > 0) parts.push(`${amount(count / seconds, this.#unit)}/s`);
    parts.push(`${clock(seconds)} gone`);
    if (fraction !== undefined && fraction >= FORESEEABLE) {
      parts.push(`${clock(Math.ceil((seconds * (1 - fraction)) / fraction))} left`);
    }
    if (text !== undefined) parts.push(typeof text === "string" ? text : text());
    return parts.join("  ");
  }
}

/** An amount with its unit, in three digits: `12 events`, `1.25 k events`, `930 MB`. */
export function amount(value: number, unit: string): string {
  let rest = value;
  let prefix = "";
  for (const larger of ["k", "M", "G", "T"]) {
    if (rest < 999.5) break;
    rest /= 1000;
    prefix = larger;
  }
  const digits = Number.isInteger(rest) || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const isWord = unit.length > 1 && prefix !== "";
  return `${rest.toFixed(digits)} ${prefix}${isWord ? " " : ""}${unit}`;
}

/** `0:07`, `12:30`, `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
