/** A peer as a process of its own that stays alive, and answers as serve.mjs describes. */
import { Dialogue, type Start } from "../harness/dialogue.js";

/** How a peer is started, in one of the forms that it comes in: a compiler, an optimiser, a backend. */
export interface Variant extends Start {
  readonly name: string;
}

/** Stands for the data file among the words of a command. */
export const DATA = "DATA";

export interface Answer {
  us: number;
  loss: number;
  chosen: number[];
}

const ONE_THREAD = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };

export class PeerProcess {
  readonly variant: Variant;
  /** As the peer names it. */
  readonly version: string;
  readonly #dialogue: Dialogue;

  private constructor(variant: Variant, version: string, dialogue: Dialogue) {
    this.variant = variant;
    this.version = version;
    this.#dialogue = dialogue;
  }

  /** @throws Error where it does not come to life. */
  static async start(variant: Variant, file: string): Promise<PeerProcess> {
    const { command, env } = variant;
    const words = variant.words.map((word) => (word === DATA ? file : word));
    const { dialogue, first } = await Dialogue.start({ command, words, env: { ...ONE_THREAD, ...env } });
    return new PeerProcess(variant, (first as { version: string }).version, dialogue);
  }

  /** @throws Error with the peer's message. */
  async ask(line: string): Promise<Answer> {
    return (await this.#dialogue.ask(line)) as Answer;
  }

  close(): Promise<void> {
    return this.#dialogue.close();
  }
}
