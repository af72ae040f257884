import type { LayerWeights } from "../../engine/index.js";
import type { TrainProgress } from "../../training/index.js";
import type { Answer, Call, CurvePoint, SavedTraining } from "./calls.js";
import type { Frame } from "./scenes.js";
import type { EnvironmentName, Settings } from "./settings.js";

/** What the page knows of the training. */
export interface Training {
  readonly progress: Omit<TrainProgress, "evaluation">;
  readonly frame: Frame;
  readonly values: readonly number[];
  readonly curve: readonly CurvePoint[];
  readonly layers: readonly LayerWeights[];
  readonly stepsPerSecond: number;
  readonly ended: string | undefined;
}

export interface Handlers {
  onReport(training: Training): void;
  /** A step to draw: at a slow pace each of them, in turn. */
  onFrame(frame: Frame): void;
  onFailed(message: string): void;
}

export type Saved = Extract<Answer, { type: "saved" }>;

/** Milliseconds over which the speed is measured. */
const WINDOW_MS = 1000;

/** The worker that trains, as the page sees it. */
export class TrainerWorker {
  readonly #worker = new Worker(new URL("trainer.js", document.baseURI), { type: "module" });
  readonly #handlers: Handlers;
  readonly #saving: ((saved: Saved) => void)[] = [];
  #frames: Frame[] = [];
  #pace = Number.POSITIVE_INFINITY;
  #layers: readonly LayerWeights[] = [];
  #mark = { at: performance.now(), step: 0 };
  #speed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#take(data);
    this.#worker.onerror = ({ message }) => handlers.onFailed(message || "the worker did not start");
  }

  start(environment: EnvironmentName, settings: Settings, isPaused = false): void {
    this.#send({ type: "start", environment, settings, isPaused });
  }

  resume(saved: SavedTraining): void {
    this.#send({ type: "resume", saved, isPaused: true });
  }

  /** @param pace Steps a second; Infinity: as fast as it can. */
  run(pace: number): void {
    this.#pace = pace;
    this.#mark = { at: performance.now(), step: -1 };
    this.#send({ type: "run", pace });
  }

  pause(): void {
    this.#frames = [];
    this.#send({ type: "pause" });
  }

  step(): void {
    this.#send({ type: "step" });
  }

  save(): Promise<Saved> {
    const saved = new Promise<Saved>((resolve) => this.#saving.push(resolve));
    this.#send({ type: "save" });
    return saved;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#worker.terminate();
  }

  #send(call: Call): void {
    this.#worker.postMessage(call);
  }

  #take(answer: Answer): void {
    if (answer.type === "failed") this.#handlers.onFailed(answer.message);
    else if (answer.type === "saved") this.#saving.shift()?.(answer);
    else this.#report(answer);
  }

  #report(answer: Extract<Answer, { type: "report" }>): void {
    const { progress, frames, values, curve, layers, ended } = answer;
    if (layers !== undefined) this.#layers = layers;
    this.#measure(progress.step);
    const training = { progress, values, curve, layers: this.#layers, stepsPerSecond: this.#speed, ended };
    this.#handlers.onReport({ ...training, frame: frames.at(-1)! });
    if (Number.isFinite(this.#pace)) this.#queue(frames);
    else this.#handlers.onFrame(frames.at(-1)!);
  }

  #measure(step: number): void {
    const now = performance.now();
    if (this.#mark.step < 0 || step < this.#mark.step) this.#mark = { at: now, step };
    if (now - this.#mark.at < WINDOW_MS) return;
    this.#speed = (1000 * (step - this.#mark.step)) / (now - this.#mark.at);
    this.#mark = { at: now, step };
  }

  #queue(frames: readonly Frame[]): void {
    this.#frames.push(...frames);
    if (this.#timer === undefined) this.#next();
  }

  #next(): void {
    const frame = this.#frames.shift();
    this.#timer = undefined;
    if (frame === undefined) return;
    this.#handlers.onFrame(frame);
    this.#timer = setTimeout(() => this.#next(), 1000 / this.#pace);
  }
}
