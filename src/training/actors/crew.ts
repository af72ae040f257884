import { mustBe } from "../../check/index.js";
import { type Learner, observeAs } from "../driver.js";
import type { Later } from "../environment.js";
import { breathe, type Course, type Source } from "../run.js";
import type { SavedTraining } from "../saved.js";
import type { Chunk, FromActor, ToActor, Turn } from "./messages.js";
import { type ActorWorker, listenTo } from "./ports.js";

/** By whom the next chunk of steps is learned from. */
export type ActorOrder = "arrival" | "rounds" | readonly number[];

/** Options with all defaults in place. */
export interface CrewOptions {
  actors: number;
  start: (index: number) => ActorWorker;
  chunk: number;
  order: ActorOrder;
  timeoutMs: number;
  /** Of the first episode. */
  seed: number;
  signal?: AbortSignal | undefined;
}

/** Longest time of a timer, milliseconds. */
const TIMER_MAX = 2 ** 31 - 1;

/** Actors in workers, chunk by chunk. */
export class Crew implements Source {
  /** By whom the chunks were, so far. */
  readonly order: number[] = [];
  readonly #agent: Learner;
  readonly #options: CrewOptions;
  readonly #workers: ActorWorker[] = [];
  /** By actor, a chunk that waits. */
  readonly #inbox: (Chunk | undefined)[] = [];
  /** Actors whose chunks wait, the first that came first. */
  readonly #arrived: number[] = [];
  /** What is learned from now, by whom, and the next step of it. */
  #chunk: Chunk | undefined;
  #actor = 0;
  #at = 0;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(agent: Learner, options: CrewOptions) {
    this.#agent = agent;
    this.#options = options;
  }

  begin(): void {
    const { actors, seed, chunk, start } = this.#options;
    this.#agent.abandonEpisode();
    const options = JSON.parse(JSON.stringify(this.#agent.options));
    // Of now: an actor may be ready when others have taught already.
    const turn = this.#turn();
    for (let index = 0; index < actors; index++) {
      const worker = start(index);
      if (typeof worker?.postMessage !== "function" || typeof worker.terminate !== "function") {
        throw mustBe("start", "a function that returns a worker", worker);
      }
      this.#workers.push(worker);
      const first: ToActor = { begin: { index, actors, seed, chunk, options }, turn };
      listenTo(
        worker,
        (data) => this.#take(index, data as FromActor, first),
        (reason) => this.#fail(index, reason),
      );
    }
  }

  #turn(): Turn {
    return { weights: this.#agent.copyWeights(), steps: this.#agent.steps };
  }

  #take(index: number, message: FromActor, first: ToActor): void {
    if (message === "ready") this.#workers[index]!.postMessage(first);
    else if ("error" in message) this.#fail(index, message.error);
    else {
      this.#inbox[index] = message.chunk;
      this.#arrived.push(index);
      this.#wake();
    }
  }

  #fail(index: number, reason: string): void {
    this.#failure ??= new Error(`actor ${index}: ${reason}`);
    this.#wake();
  }

  step(course: Course): Later<void> {
    const chunk = this.#chunk;
    if (chunk && this.#at < chunk.experiences.length) return this.#observe(chunk, course);
    return this.#next().then((next) => this.#observe(next, course));
  }

  #observe({ experiences, ended }: Chunk, course: Course): void {
    observeAs(this.#agent, experiences[this.#at]!);
    const episode = ended.find(({ at }) => at === this.#at);
    this.#at++;
    if (episode) course.ended(this.#actor, episode.return, episode.length);
  }

  /** The next chunk; first the actor of the last one gets the weights that it taught. */
  async #next(): Promise<Chunk> {
    if (this.#chunk) this.#workers[this.#actor]!.postMessage({ turn: this.#turn() } satisfies ToActor);
    this.#chunk = undefined;
    const named = this.#named();
    // What has come meanwhile is seen only now.
    await breathe();
    for (;;) {
      if (this.#failure) throw this.#failure;
      this.#options.signal?.throwIfAborted();
      const index = named ?? this.#arrived[0];
      const chunk = index === undefined ? undefined : this.#inbox[index];
      if (index !== undefined && chunk) {
        this.#inbox[index] = undefined;
        this.#arrived.splice(this.#arrived.indexOf(index), 1);
        this.order.push(index);
        this.#actor = index;
        this.#at = 0;
        this.#chunk = chunk;
        return chunk;
      }
      await this.#news(named);
    }
  }

  /** Whose chunk must come next; undefined: anybody's. */
  #named(): number | undefined {
    const { order, actors } = this.#options;
    const at = this.order.length;
    if (order === "arrival") return undefined;
    if (order === "rounds") return at % actors;
    const index = order[at];
    if (Number.isInteger(index) && index! >= 0 && index! < actors) return index;
    throw mustBe(`order[${at}]`, `an actor, an integer in [0, ${actors - 1}]`, index);
  }

  /** Waits until something happens. */
  #news(named: number | undefined): Promise<void> {
    const { signal, timeoutMs } = this.#options;
    const who = named === undefined ? "actors" : `actor ${named}`;
    return new Promise((resolve) => {
      const silent = () => {
        this.#failure ??= new Error(`${who}: no steps for ${timeoutMs} ms; does its module call runActor?`);
        this.#wake();
      };
      const timer = setTimeout(silent, Math.min(timeoutMs, TIMER_MAX));
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        this.#wake = () => {};
        resolve();
      };
      this.#wake = wake;
      signal?.addEventListener("abort", wake);
    });
  }

  saved(): Pick<SavedTraining, "seats" | "started"> {
    throw new Error("the environments are in workers: save the agent instead");
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
