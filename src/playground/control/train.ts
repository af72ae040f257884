/** Trains an agent beside the page: it learns as fast as it can, or at the pace at which the page plays its steps. */
import { DQN, sha256, unpackSnapshot } from "../../engine/index.js";
import { toOnnx, toSafetensors } from "../../exchange/index.js";
import { resume, type Training, type TrainProgress, train } from "../../training/index.js";
import type { Answer, Call, CurvePoint, SavedTraining } from "./calls.js";
import { type Frame, Scene } from "./scenes.js";
import { type EnvironmentName, optionsOf, RECIPES, type Settings } from "./settings.js";

/** Steps between two reports: what the page plays at a time. */
const CHUNK = 20;
/** Milliseconds between two messages at full speed, and between two pictures of the network. */
const TELL_MS = 60;
const LAYERS_MS = 1000;
/** Steps between two points of the curves. */
const POINT = 500;
/** Points that are kept; then every second one goes. */
const POINTS_MAX = 600;

/** Seed of the episodes by which an agent is judged: others than those it learns from. */
const JUDGE_SEED = 1_000_000;

const say = (answer: Answer) => postMessage(answer);
const known = (value: number | undefined): number | null => (Number.isFinite(value) ? value! : null);

/** SHA-256 of all that persists of an agent. */
function digestOf(file: Uint8Array): string {
  return sha256(unpackSnapshot("dqn", file).tensors.get("agent")!);
}

class Trainer {
  readonly #environment: EnvironmentName;
  readonly #settings: Settings;
  readonly #scene: Scene;
  readonly #agent: DQN;
  readonly #training: Training | undefined;
  readonly #frames: Frame[] = [];
  #curve: CurvePoint[];
  #ended: string | undefined;
  #progress: Omit<TrainProgress, "evaluation">;
  #isPaused: boolean;
  #pace = Number.POSITIVE_INFINITY;
  #wake: () => void = () => {};
  /** Between two reports, where it can be saved as the page sees it. */
  #isAtTurn = false;
  #savesDue = 0;
  #told = 0;
  #pictured = 0;
  #lastPoint = 0;

  constructor(call: Extract<Call, { type: "start" | "resume" }>) {
    const { environment, settings } = call.type === "start" ? call : call.saved;
    const { steps, solved, evaluation } = RECIPES[environment];
    this.#environment = environment;
    this.#settings = settings;
    this.#isPaused = call.isPaused;
    this.#scene = new Scene(environment);
    this.#scene.look = (frame) => this.#look(frame);
    this.#progress = { step: 0, total: steps, episodes: 0, meanReturn: Number.NaN, loss: Number.NaN, epsilon: 1 };
    this.#curve = call.type === "start" ? [] : [...call.saved.curve];
    this.#lastPoint = this.#curve.at(-1)?.step ?? 0;
    if (call.type === "start") {
      const { observationSize, actions } = this.#scene;
      this.#agent = new DQN(optionsOf(environment, settings, { observation: observationSize, actions }));
      const judged = { ...evaluation, environment: new Scene(environment), seed: JUDGE_SEED, stopAt: solved };
      const seed = Number(settings["seed"]);
      this.#training = train(this.#agent, this.#scene, { steps, seed, progressEvery: CHUNK, evaluation: judged });
      return;
    }
    const { file, ended } = call.saved;
    if (ended !== undefined) {
      this.#agent = DQN.load(file);
      this.#ended = ended;
      this.#progress = { ...this.#progress, step: this.#agent.steps };
      return;
    }
    const { agent, training } = resume(file, this.#scene, { evaluationEnvironment: new Scene(environment) });
    this.#agent = agent;
    this.#training = training;
    this.#progress = { ...this.#progress, step: agent.steps };
  }

  /** Trains, and then plays what it has learned, until the page ends the worker. */
  async run(): Promise<void> {
    if (this.#training !== undefined && this.#ended === undefined) {
      if (this.#isPaused && this.#progress.step > 0) {
        this.#tell();
        await this.#turn();
      }
      for await (const { evaluation, ...progress } of this.#training) {
        this.#progress = progress;
        this.#note(evaluation?.meanReturn);
        await this.#turn();
      }
      this.#ended = (await this.#training).ended;
    }
    this.#frames.length = 0;
    this.#tell(true);
    await this.#play();
  }

  handle(call: Call): void {
    if (call.type === "save") {
      if (this.#isAtTurn) this.#save();
      else this.#savesDue++;
      return;
    }
    if (call.type === "pause") this.#isPaused = true;
    else if (call.type === "run") {
      this.#isPaused = false;
      this.#pace = call.pace;
    }
    this.#wake();
  }

  #look(frame: Frame): void {
    // At full speed the page sees the newest step alone.
    if (this.#pace === Number.POSITIVE_INFINITY && !this.#isPaused) this.#frames.length = 0;
    this.#frames.push(frame);
    if (this.#frames.length > 4 * CHUNK) this.#frames.shift();
  }

  /** Tells the page what there is to tell, saves where that is due; waits where it is paused or the page still plays. */
  async #turn(): Promise<void> {
    for (; this.#savesDue > 0; this.#savesDue--) this.#save();
    this.#isAtTurn = true;
    await this.#wait();
    this.#isAtTurn = false;
  }

  async #wait(): Promise<void> {
    const now = performance.now();
    if (this.#isPaused || this.#pace < Number.POSITIVE_INFINITY || now - this.#told >= TELL_MS) this.#tell();
    if (this.#isPaused) return new Promise((resolve) => (this.#wake = resolve));
    if (this.#pace === Number.POSITIVE_INFINITY) return;
    const wait = (1000 * CHUNK) / this.#pace;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #note(evaluated: number | undefined): void {
    const { step, meanReturn, loss, epsilon } = this.#progress;
    if (evaluated === undefined && step - this.#lastPoint < POINT) return;
    this.#lastPoint = step;
    const qMean = known(this.#agent.stats().qMean);
    const point = {
      step,
      meanReturn: known(meanReturn),
      loss: known(loss),
      qMean,
      epsilon,
      evaluated: known(evaluated),
    };
    this.#curve.push(point);
    if (this.#curve.length > POINTS_MAX) this.#curve = this.#curve.filter((_, i) => i % 2 === 1);
  }

  #tell(isLast = false): void {
    const now = performance.now();
    this.#told = now;
    const isPictured = isLast || this.#isPaused || now - this.#pictured >= LAYERS_MS;
    if (isPictured) this.#pictured = now;
    const frames = this.#frames.splice(0);
    const newest = this.#scene.frame();
    const values = [...this.#agent.evaluate(this.#scene.observation)];
    say({
      ...{ type: "report", progress: this.#progress, frames: frames.length > 0 ? frames : [newest], values },
      curve: this.#curve,
      ...(isPictured && { layers: this.#agent.weights() }),
      ended: this.#ended,
    });
  }

  #save(): void {
    const agent = this.#agent.save();
    const isTraining = this.#training !== undefined && this.#ended === undefined && this.#progress.step > 0;
    const saved: SavedTraining = {
      environment: this.#environment,
      settings: this.#settings,
      file: (isTraining ? this.#training.save() : agent) as Uint8Array<ArrayBuffer>,
      ended: this.#ended,
      curve: this.#curve,
      hash: digestOf(agent),
      weights: sha256(new Uint8Array(this.#agent.copyWeights().buffer)),
    };
    say({ type: "saved", saved, safetensors: toSafetensors(this.#agent.weights()), onnx: toOnnx(this.#agent) });
  }

  /** Plays episodes greedily, at the pace of the page; nothing is learned. */
  async #play(): Promise<void> {
    for (let episode = 0; ; episode++) {
      let observation = this.#scene.reset(JUDGE_SEED + episode);
      for (let steps = 1, isOver = false; !isOver; steps++) {
        const {
          terminated,
          truncated,
          observation: next,
        } = this.#scene.step(this.#agent.act(observation, undefined, 0));
        observation = next;
        isOver = terminated || truncated;
        if (steps % CHUNK !== 0 && !isOver) continue;
        // What nobody would see need not be played faster than it is drawn.
        if (this.#pace > 50) this.#pace = 50;
        await this.#turn();
      }
    }
  }
}

let trainer: Trainer | undefined;

addEventListener("message", ({ data }: MessageEvent<Call>) => {
  try {
    if (data.type !== "start" && data.type !== "resume") {
      trainer?.handle(data);
      return;
    }
    trainer = new Trainer(data);
    trainer.run().catch((error: Error) => say({ type: "failed", message: error.message }));
  } catch (error) {
    say({ type: "failed", message: (error as Error).message });
  }
});
