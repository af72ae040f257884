import { appendFileSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { ContinuousAgent } from "../../engine/index.js";
import { TensorBoardWriter, tensorBoardLogger } from "../../exchange/index.js";
import { saveFile } from "../../node/index.js";
import { Checkpoints, diskFolder } from "../../storage/index.js";
import {
  type CheckpointOptions,
  checkEnvironmentAsync,
  resume,
  type Training,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
  train,
  trainWithActors,
} from "../../training/index.js";
import { type Agent, agentFor } from "./agents.js";
import { type EnvironmentModule, type Loaded, loadModule } from "./module.js";

/** Options of `liveq train-env`. */
export interface TrainEnvironmentOptions {
  steps: number;
  seed: number;
  /** Of the agent. */
  agent: Readonly<Record<string, unknown>>;
  /** Environments that take turns. */
  environments: number;
  /** Threads that act; 0: none but this one. */
  actors: number;
  /** Steps between two evaluations; 0: none. */
  evaluateEvery: number;
  episodes: number;
  stopAt?: number;
  patience?: number;
  /** The file of the agent. */
  model: string;
  /** The folder of checkpoints. */
  checkpoints: string;
  checkpointEvery: number;
  keep: number;
  resume: boolean;
  /** The folder of TensorBoard's file. */
  tensorboard?: string;
  /** Whether the environment is looked through first. */
  check: boolean;
}

/** What a training reports to. */
export interface Desk {
  signal: AbortSignal;
  onProgress(progress: TrainProgress): void;
  say(line: string): void;
}

/** Steps of the check, and between two reports. */
const CHECKED = 300;
const REPORT_EVERY = 500;

/** A training, and its agent. */
interface Begun {
  agent: Agent;
  training: Training;
}

/**
 * Trains an agent in the environment of a module, and writes it.
 * @throws Error that names the file where the module holds no environment, or one with breaches.
 */
export async function trainEnvironment(
  file: string,
  options: TrainEnvironmentOptions,
  desk: Desk,
): Promise<TrainResult & { name: string }> {
  const module = await loadModule(file);
  const first = module.make();
  if (options.check) await requireSound(file, first);
  const isShared = module.isOne && options.environments > 1 && options.actors === 0;
  if (isShared) throw new Error(`${file}: --environments needs a class, got one environment`);
  const { agent, training } = begun(file, module, first, options, desk);
  try {
    const result = await training;
    saveFile(options.model, agent.saveChunks());
    return { ...result, name: module.name };
  } finally {
    agent.dispose();
  }
}

async function requireSound(file: string, environment: Loaded): Promise<void> {
  const breaches = await checkEnvironmentAsync(environment, { steps: CHECKED });
  if (breaches.length === 0) return;
  const list = breaches.map((breach) => `  ${breach}`).join("\n");
  throw new Error(`${file}: the environment breaks its interface (--no-check trains all the same):\n${list}`);
}

function begun(
  file: string,
  module: EnvironmentModule,
  first: Loaded,
  options: TrainEnvironmentOptions,
  desk: Desk,
): Begun {
  const { steps, seed, actors } = options;
  const turns = Math.max(actors, options.environments);
  // Nothing is reported before the training runs: by then there is an agent.
  let agent: Agent | undefined;
  let log: ((progress: TrainProgress) => void) | undefined;
  const onProgress = (progress: TrainProgress) => {
    if (options.tensorboard !== undefined) log ??= tensorBoardIn(options.tensorboard, agent!);
    log?.(progress);
    desk.onProgress(progress);
  };
  const evaluation = evaluationOf(file, module, options);
  const common = { steps, seed, progressEvery: REPORT_EVERY, signal: desk.signal, onProgress };
  const given: TrainOptions = { ...common, ...(evaluation && { evaluation }) };
  if (actors > 0) {
    agent = agentFor(first, { environments: turns, seed, ...options.agent });
    const thread = new URL("./actor.js", import.meta.url);
    const start = () => new Worker(thread, { workerData: { file: resolve(file) } });
    return { agent, training: trainWithActors(agent, { ...given, actors, start }) };
  }
  const kept = new Checkpoints(diskFolder(options.checkpoints), options.keep);
  const checkpoint: CheckpointOptions = {
    every: options.checkpointEvery,
    write: (bytes, step) => kept.write(step, [bytes]),
  };
  const all = [first, ...Array.from({ length: options.environments - 1 }, () => module.make())];
  if (options.resume) {
    const resumed = resumedFrom(kept, all, { ...given, checkpoint }, desk);
    agent = resumed.agent;
    return resumed;
  }
  if (kept.list().length > 0) {
    const what = `${options.checkpoints}: holds checkpoints of an earlier training`;
    throw new Error(`${what}: continue it by --resume, or name another folder by --checkpoints`);
  }
  agent = agentFor(first, { environments: turns, seed, ...options.agent });
  return { agent, training: train(agent as never, all as never, { ...given, checkpoint }) };
}

function evaluationOf(
  file: string,
  module: EnvironmentModule,
  { evaluateEvery: every, episodes, stopAt, patience }: TrainEnvironmentOptions,
): TrainOptions["evaluation"] {
  if (every === 0) return undefined;
  if (module.isOne)
    throw new Error(`${file}: --evaluate-every needs a class: an evaluation has an environment of its own`);
  const bounds = { ...(stopAt !== undefined && { stopAt }), ...(patience !== undefined && { patience }) };
  return { environment: module.make(), every, episodes, ...bounds };
}

/** The training of the newest checkpoint, to the step that is asked for now. */
function resumedFrom(kept: Checkpoints, environments: Loaded[], options: TrainOptions, desk: Desk): Begun {
  const newest = kept.newest();
  if (newest === undefined) throw new Error("--resume: there is no checkpoint to continue from");
  const bytes = Buffer.concat([...kept.read(newest)]);
  desk.say(`continues from step ${newest.sequence}`);
  const { seed: _, progressEvery: __, evaluation, ...callbacks } = options;
  const isContinuous = "continuous" in environments[0]!;
  const own = {
    ...callbacks,
    ...(evaluation && { evaluationEnvironment: evaluation.environment }),
    ...(isContinuous && { load: ContinuousAgent.load }),
  };
  return resume(bytes, environments as never, own as never);
}

/** A listener that writes a new file of TensorBoard's into a folder. */
function tensorBoardIn(folder: string, agent: Agent): (progress: TrainProgress) => void {
  mkdirSync(folder, { recursive: true });
  const seconds = () => Date.now() / 1000;
  const path = join(folder, `events.out.tfevents.${Math.floor(seconds())}.${hostname()}`);
  const writer = new TensorBoardWriter((bytes) => appendFileSync(path, bytes), seconds());
  return tensorBoardLogger(agent, writer, seconds);
}
