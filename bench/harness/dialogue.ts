/** A child process that stays alive: it writes a line of JSON when it is ready, then one for each line that it gets. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How the process is started. */
export interface Start {
  readonly command: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ERROR_LENGTH = 400;

export class Dialogue {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = "";

  private constructor({ command, words, env }: Start) {
    this.#child = spawn(command, words, { env: { ...process.env, ...env } });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_LENGTH);
    });
    // A process that cannot be started or has ended shows as an answer that does not come.
    this.#child.on("error", (error) => {
      this.#errors = error.message;
    });
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @returns The process, and its first line.
   * @throws Error where it does not come to life.
   */
  static async start(how: Start): Promise<{ dialogue: Dialogue; first: unknown }> {
    const dialogue = new Dialogue(how);
    try {
      return { dialogue, first: await dialogue.#answer() };
    } catch (error) {
      await dialogue.close();
      throw error;
    }
  }

  /** @throws Error where the process has ended, or answers `{ error }`. */
  async ask(line: string): Promise<unknown> {
    this.#child.stdin.write(`${line}\n`);
    return this.#answer();
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`it ended: ${this.#errors.trim() || "without a word"}`);
    const answer = JSON.parse(value) as { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
  }
}
