import { show } from "../check/index.js";
import type { AgentStats } from "../engine/index.js";
import type { TrainProgress } from "../training/index.js";
import { Message } from "./protobuf.js";

/** The destination of an event file's bytes: a function, or a Web `WritableStream`. */
export type TensorBoardSink =
  | ((bytes: Uint8Array) => void)
  | { getWriter(): { write(bytes: Uint8Array): Promise<unknown>; close(): Promise<unknown> } };

/** CRC-32C (Castagnoli), reflected, as RFC 3720 has it. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32C of bytes, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** TFRecord's masked CRC: rotated and offset, so that the CRC of data that contains CRCs stays a good one. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** tensorflow.Event: wall_time = 1, step = 2, then file_version = 3 or summary = 5; without zeros. */
function event(wallTime: number, step: number): Message {
  const message = new Message();
  if (wallTime !== 0) message.double(1, wallTime);
  if (step !== 0) message.integer(2, step);
  return message;
}

/** tensorflow.Summary of values = 1 with tag = 1 and simple_value = 2. */
function summary(values: readonly (readonly [tag: string, value: number])[]): Message {
  const message = new Message();
  for (const [tag, value] of values) message.message(1, new Message().text(1, tag).float(2, value));
  return message;
}

/** TFRecord: length u64, its masked CRC u32, data, its masked CRC u32, all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return bytes;
}

/**
 * Writes scalars as a TensorBoard event file. TensorBoard reads files with `tfevents` in their names, such as
 * `events.out.tfevents.1700000000.host`.
 *
 * ```ts
 * const writer = new TensorBoardWriter((bytes) => appendFileSync(path, bytes), Date.now() / 1000);
 * writer.scalars({ "train/loss": 0.25 }, 1000, Date.now() / 1000);
 * ```
 */
export class TensorBoardWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #end: () => Promise<unknown>;
  #isClosed = false;
  #failure: { error: unknown } | undefined;

  /**
   * @param wallTime - Start of the file: seconds since 1970, >= 0.
   * @throws RangeError for a wrong time.
   */
  constructor(sink: TensorBoardSink, wallTime: number) {
    requireTime(wallTime);
    if (typeof sink === "function") {
      this.#write = sink;
      this.#end = async () => undefined;
    } else {
      const writer = sink.getWriter();
      this.#write = (bytes) => {
        writer.write(bytes).catch((error: unknown) => {
          this.#failure ??= { error };
        });
      };
      this.#end = () => writer.close();
    }
    this.#write(record(event(wallTime, 0).text(3, "brain.Event:2").encode()));
  }

  /** Writes one scalar; see `scalars`. */
  scalar(tag: string, value: number, step: number, wallTime: number): void {
    this.scalars({ [tag]: value }, step, wallTime);
  }

  /**
   * Writes the scalars of one step as one event; writes nothing for an empty object.
   *
   * @param values - By tag, written as f32; NaN and infinities too, which TensorBoard marks.
   * @param step - An integer in [0, 2^53 - 1].
   * @param wallTime - Seconds since 1970, >= 0.
   * @throws RangeError or TypeError for a wrong step, time or value; an earlier error of the stream.
   */
  scalars(values: Readonly<Record<string, number>>, step: number, wallTime: number): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#isClosed) throw new Error("the event file is closed");
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(`"step" must be an integer in [0, ${Number.MAX_SAFE_INTEGER}], got ${show(step)}`);
    }
    requireTime(wallTime);
    const entries = Object.entries(values);
    for (const [tag, value] of entries) {
      if (typeof value !== "number") throw new TypeError(`${show(tag)} must be a number, got ${show(value)}`);
    }
    if (entries.length > 0) this.#write(record(event(wallTime, step).message(5, summary(entries)).encode()));
  }

  /** Closes the stream once all is written. Later writes throw. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#failure) throw this.#failure.error;
    await this.#end();
  }
}

function requireTime(wallTime: number): void {
  if (Number.isFinite(wallTime) && wallTime >= 0) return;
  throw new RangeError(`"wallTime" must be seconds since 1970, a finite number >= 0, got ${show(wallTime)}`);
}

/** Health figures of an agent of either kind. */
type Stats = Partial<AgentStats> & Pick<AgentStats, "refused">;

/** Scalars of a report by tag, with Stable-Baselines3's names where it has one, without NaN. */
export function trainScalars(progress: TrainProgress, stats: Stats): Record<string, number> {
  const all: Record<string, number | undefined> = {
    "rollout/ep_rew_mean": progress.meanReturn,
    "rollout/exploration_rate": progress.epsilon,
    "train/loss": progress.loss,
    "train/learning_rate": stats.learningRate,
    "train/n_updates": stats.updates,
    "train/skipped_updates": stats.skippedUpdates,
    "train/q_mean": stats.qMean,
    "train/q_max": stats.qMax,
    "train/td_error_p10": stats.tdErrorP10,
    "train/td_error_p50": stats.tdErrorP50,
    "train/td_error_p90": stats.tdErrorP90,
    "train/gradient_norm": stats.gradientNorm,
    "train/clipped_share": stats.clippedShare,
    "replay/fill": stats.replayFill,
    "replay/max_priority": stats.maxPriority,
    "replay/effective_batch": stats.effectiveBatch,
  };
  for (const [name, count] of Object.entries(stats.refused)) all[`refused/${name}`] = count;
  const isKnown = (entry: [string, number | undefined]): entry is [string, number] =>
    !Number.isNaN(entry[1] ?? Number.NaN);
  return Object.fromEntries(Object.entries(all).filter(isKnown));
}

/**
 * Makes a listener for `onProgress` that writes the scalars of each report, under Stable-Baselines3's names where it has
 * one, and each evaluation once, as `eval/mean_reward` at its own step.
 *
 * ```ts
 * train(agent, environment, { steps, onProgress: tensorBoardLogger(agent, writer, () => Date.now() / 1000) });
 * ```
 *
 * @param now - Seconds since 1970.
 */
export function tensorBoardLogger(
  agent: { stats(): Stats },
  writer: TensorBoardWriter,
  now: () => number,
): (progress: TrainProgress) => void {
  let evaluated = -1;
  return (progress) => {
    const wallTime = now();
    const { evaluation } = progress;
    if (evaluation && evaluation.step !== evaluated) {
      evaluated = evaluation.step;
      writer.scalar("eval/mean_reward", evaluation.meanReturn, evaluated, wallTime);
    }
    writer.scalars(trainScalars(progress, agent.stats()), progress.step, wallTime);
  };
}
