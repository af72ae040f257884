/** A peer as a process of its own that stays alive, and answers as serve.mjs says. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How a peer is started, in one of the forms that it comes in: a compiler, an optimiser, a backend. */
export interface Variant {
  name: string;
  command: string;
  /** The words behind the command; DATA stands for the data file. */
  words: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export const DATA = "DATA";

export interface Answer {
  version: string;
  us: number;
  loss: number;
  chosen: number[];
  error?: string;
}

const ONE_THREAD = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
const ERROR_LENGTH = 400;

export class PeerProcess {
  readonly variant: Variant;
  /** What it says of itself. */
  version = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = "";

  private constructor(variant: Variant, file: string) {
    this.variant = variant;
    const words = variant.words.map((word) => (word === DATA ? file : word));
    this.#child = spawn(variant.command, words, { env: { ...process.env, ...ONE_THREAD, ...variant.env } });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_LENGTH);
    });
    // What cannot be started or has ended shows as an answer that does not come.
    this.#child.on("error", (error) => {
      this.#errors = error.message;
    });
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error where it does not come to life. */
  static async start(variant: Variant, file: string): Promise<PeerProcess> {
    const peer = new PeerProcess(variant, file);
    try {
      peer.version = (await peer.#answer()).version;
      return peer;
    } catch (error) {
      await peer.close();
      throw error;
    }
  }

  /** @throws Error with what the peer says against it. */
  async ask(command: string): Promise<Answer> {
    this.#child.stdin.write(`${command}\n`);
    return this.#answer();
  }

  async #answer(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`it ended: ${this.#errors.trim() || "without a word"}`);
    const answer = JSON.parse(value) as Answer;
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
