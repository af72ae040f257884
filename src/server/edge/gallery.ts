import { EventError } from "../../protocol/index.js";
import type { Model, ServingAgent, ShadowReport } from "./agent.js";
import type { KeptModels } from "./port.js";
import type { ArmPolicy, TrialOptions } from "./trials.js";

/** Models that one can go back to, beside those in use. */
const MODELS = 8;

/** What scores beside the model that answers: the newest model, which may be held up by another one, or one that is kept. */
export type Candidate = "newest" | { readonly model: number };

/** The models of a server: which one answers, which ones one can go back to, and which ones act for some users. */
export class Gallery {
  readonly #agent: ServingAgent;
  readonly #now: () => number;
  readonly #told: (model: Omit<Model, "weights">) => void;
  readonly #models: Model[] = [];
  #live: Model;
  #since: number;
  #isPinned = false;
  #trial: TrialOptions | undefined;
  #candidate: Candidate | undefined;

  /**
   * @param first The model that the agent acts by.
   * @param told Called with each model that goes live later.
   */
  constructor(agent: ServingAgent, first: Model, now: () => number, told: (model: Omit<Model, "weights">) => void) {
    this.#agent = agent;
    this.#now = now;
    this.#told = told;
    this.#models.push(first);
    this.#live = first;
    this.#since = now();
  }

  /** Puts back the models of an earlier run; those that do not fit the agent are left out. */
  restore(models: readonly Model[], pinned: number | undefined, shadow: Candidate | undefined): void {
    const fitting = models.filter(({ weights }) => weights.length === this.#live.weights.length);
    if (fitting.length > 0) {
      this.#models.splice(0, this.#models.length, ...fitting);
      const found = fitting.find(({ version }) => version === pinned);
      this.#isPinned = found !== undefined;
      this.#swap(found ?? fitting.at(-1)!);
    }
    const isThere = (version: number) => this.#models.some((model) => model.version === version);
    if (shadow === "newest" || (shadow !== undefined && isThere(shadow.model))) this.shadow(shadow);
  }

  /** The model that answers, since when, and whether newer ones wait. */
  get live(): { readonly model: Model; readonly since: number; readonly isPinned: boolean } {
    return { model: this.#live, since: this.#since, isPinned: this.#isPinned };
  }

  /** The models, the oldest first; without their weights. */
  list(): Omit<Model, "weights">[] {
    return this.#models.map(({ weights: _, ...model }) => model);
  }

  /** Which of them must last over restarts. */
  get kept(): KeptModels {
    const versions = this.#models.map(({ version }) => version);
    return { versions, pinned: this.#isPinned ? this.#live.version : undefined, shadow: this.#candidate };
  }

  add(model: Model): void {
    this.#models.push(model);
    const used = new Set([this.#live.version, ...this.#named().map(({ version }) => version)]);
    let over = this.#models.length - MODELS;
    for (let i = 0; i < this.#models.length - 1 && over > 0; ) {
      if (used.has(this.#models[i]!.version)) i++;
      else {
        this.#models.splice(i, 1);
        over--;
      }
    }
    if (!this.#isPinned) this.#swap(model);
    if (this.#candidate === "newest") this.#agent.shadow(model.weights);
  }

  /** Goes back to an earlier model at once, and stays there until `release`. Default: the one before. @throws RangeError. */
  rollback(version?: number): void {
    const before = this.#models.indexOf(this.#live) - 1;
    const found =
      version === undefined ? this.#models[before] : this.#models.find((model) => model.version === version);
    if (found === undefined) throw new RangeError(this.#must("version", version ?? "the one before the oldest"));
    this.#isPinned = true;
    this.#swap(found);
  }

  /** Lets the newest model go live again, and those to come. */
  release(): void {
    this.#isPinned = false;
    this.#swap(this.#models.at(-1)!);
  }

  /** Models act for the arms of an experiment; undefined: no longer. */
  try(trial: TrialOptions | undefined): void {
    this.#trial = trial;
    this.#agent.hold(this.#named());
  }

  /** A candidate scores what the live model scores, and is not shown; undefined: no longer. @throws EventError. */
  shadow(candidate: Candidate | undefined): void {
    const model = candidate === "newest" ? this.#models.at(-1) : candidate && this.#found(candidate.model, "model");
    this.#candidate = candidate;
    this.#agent.shadow(model?.weights);
  }

  /** What scores in the shadow, and how; undefined without. */
  shadowReport(): (ShadowReport & { candidate: Candidate }) | undefined {
    return this.#candidate && { candidate: this.#candidate, ...this.#agent.shadowReport() };
  }

  /** Requires that the model of an arm is kept. @throws EventError. */
  require(policy: ArmPolicy, field: string): void {
    if (typeof policy === "object") this.#found(policy.model, field);
  }

  #found(version: number, field: string): Model {
    const found = this.#models.find((model) => model.version === version);
    if (found === undefined) throw new EventError(field, this.#must(field, version));
    return found;
  }

  #must(field: string, version: unknown): string {
    const versions = this.#models.map((model) => model.version).join(", ");
    return `"${field}" must be one of ${versions}, got ${version}`;
  }

  /** The models that the experiment and the shadow name, as far as they are kept. */
  #named(): Model[] {
    const policies = [this.#trial?.a, this.#trial?.b];
    const versions = policies.flatMap((policy) => (typeof policy === "object" ? [policy.model] : []));
    if (typeof this.#candidate === "object") versions.push(this.#candidate.model);
    return this.#models.filter(({ version }) => versions.includes(version));
  }

  #swap(model: Model): void {
    this.#agent.swap(model);
    this.#live = model;
    this.#since = this.#now();
    const { weights: _, ...known } = model;
    this.#told(known);
  }
}
