const PLAIN_EVERY_MS = 5000;
const TERMINAL_EVERY_MS = 100;

/** Progress on stderr: one line that changes on a terminal, a plain line every few seconds elsewhere. */
export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #start = performance.now();
  #last = Number.NEGATIVE_INFINITY;

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Shows how far the work is, with the time that is left at this rate. @param fraction - [0, 1] */
  show(fraction: number, text: string): void {
    const now = performance.now();
    if (now - this.#last < (this.#isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS)) return;
    this.#last = now;
    const left = fraction >= 0.02 ? `${Math.ceil((this.seconds * (1 - fraction)) / fraction)} s left` : "";
    const line = `${String(Math.floor(100 * fraction)).padStart(3)} %  ${text}  ${left}`.trimEnd();
    process.stderr.write(
      this.#isTerminal ? `\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}` : `${line}\n`,
    );
  }

  /** Ends the line that changes. */
  end(): void {
    if (this.#isTerminal) process.stderr.write("\r\x1b[K");
  }
}
