import type { AgentInput } from "../../engine/index.js";
import {
  type ContinuousAgent,
  type ContinuousOptions,
  DQN,
  type DQNOptions,
  type ResolvedContinuousOptions,
  type ResolvedOptions,
  type Transition,
  valueAt,
} from "../../engine/index.js";
import { Random } from "../../numeric/index.js";
import { choose, copyOf, type Experience, isContinuous, type Learner } from "../driver.js";
import {
  type AnyEnvironment,
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  available,
  isLater,
  requireFitting,
  type StepResult,
} from "../environment.js";
import type { Beginning, Chunk, FromActor, ToActor, Turn } from "./messages.js";
import { parentPort } from "./ports.js";

/** Options of an actor. */
export interface RunActorOptions {
  /** Makes the agent that acts, from options that fit the learner's: `(options) => new ContinuousAgent(options)`. Default: a DQN. */
  agent?: (options: ContinuousOptions) => ContinuousAgent;
}

/**
 * Makes the worker in which it is called an actor of `trainWithActors`: it acts in an environment of its own, by a copy of
 * the learner's agent, and sends its steps. Call it at once, before anything is awaited.
 *
 * ```ts
 * runActor(() => new CartPole());
 * ```
 *
 * @param make - Makes the environment of the actor of that index, from 0.
 * @throws Error where there is no worker around it.
 */
export function runActor(
  make: (index: number) => AsyncEnvironment<AgentInput> | AsyncContinuousEnvironment,
  options: RunActorOptions = {},
): void {
  const port = parentPort();
  let actor: Actor | undefined;
  const answer = (message: FromActor) => port.send(message);
  const failed = (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) });
  port.listen(async (data) => {
    try {
      const message = data as ToActor;
      if ("begin" in message) actor = new Actor(make(message.begin.index), message.begin, options);
      answer({ chunk: await actor!.act(message.turn) });
    } catch (error) {
      failed(error);
    }
  });
  answer("ready");
}

/** An environment, and a copy of the agent that acts in it. */
class Actor {
  readonly #environment: AnyEnvironment;
  readonly #begin: Beginning;
  readonly #agent: Learner;
  readonly #random: Random;
  #observation: AgentInput | undefined;
  #episodes = 0;
  #return = 0;
  #length = 0;

  constructor(environment: AnyEnvironment, begin: Beginning, { agent }: RunActorOptions) {
    const { options, index } = begin;
    requireFitting(options, environment);
    if ("continuous" in options && !agent) {
      throw new TypeError(
        "the learner's actions are continuous: runActor needs { agent }, which makes a ContinuousAgent",
      );
    }
    this.#environment = environment;
    this.#begin = begin;
    const seed = Random.named(options.seed, "actor", index).uint32();
    this.#agent = "continuous" in options ? agent!(actingNumbers(options, seed)) : new DQN(acting(options, seed));
    this.#random = Random.named(options.seed, "actor", index, "exploration");
  }

  /** Takes the steps of a chunk. */
  async act({ weights, steps }: Turn): Promise<Chunk> {
    const { index, actors, chunk } = this.#begin;
    this.#agent.restoreWeights(weights);
    const taken: Chunk = { experiences: [], ended: [] };
    for (let at = 0; at < chunk; at++) {
      if (this.#observation === undefined) await this.#reset();
      const observation = this.#observation!;
      // The others take as many meanwhile.
      const action = this.#explore(observation, steps + at * actors);
      const chosen = choose(this.#agent, this.#environment, observation, index, action);
      const step = chosen.step();
      const result = isLater(step) ? await step : step;
      taken.experiences.push(kept(chosen.experience(observation, result, index)));
      this.#go(result, at, taken);
    }
    return taken;
  }

  /** Episodes of no two actors have the same seed, whichever begins first. */
  async #reset(): Promise<void> {
    const { index, actors, seed } = this.#begin;
    this.#observation = copyOf(await this.#environment.reset(seed + index + this.#episodes++ * actors));
    this.#return = this.#length = 0;
  }

  #go(result: StepResult<AgentInput>, at: number, { ended }: Chunk): void {
    this.#return += result.reward;
    this.#length++;
    this.#observation = copyOf(result.observation);
    if (!(result.terminated || result.truncated)) return;
    ended.push({ at, return: this.#return, length: this.#length });
    this.#observation = undefined;
    this.#agent.abandonEpisode();
  }

  /** The action by which the learner would explore after so many steps. */
  #explore(observation: AgentInput, steps: number): number | Float64Array {
    const agent = this.#agent;
    const { options } = this.#begin;
    if (isContinuous(agent)) {
      const { noise, randomSteps } = options as ResolvedContinuousOptions;
      return agent.act(observation as ArrayLike<number>, steps < randomSteps ? undefined : valueAt(noise, steps));
    }
    const { epsilon, noisySigma } = options as ResolvedOptions;
    const share = valueAt(epsilon, steps);
    const choices = available(this.#environment as AsyncEnvironment<AgentInput>);
    if (!(noisySigma > 0)) return agent.act(observation, choices, share);
    // A share that is given would act without noise.
    return this.#random.uniform() < share ? agent.act(observation, choices, 1) : agent.act(observation, choices);
  }
}

/** An actor's agent never learns: it has no replay. */
const SMALL = { capacity: 1, learningStarts: 1, batchSize: 1, nStep: 1, environments: 1 };

function acting({ actions, ...options }: ResolvedOptions, seed: number): DQNOptions {
  const own = { ...options, ...SMALL, epsilon: 0, seed };
  return (actions > 0 ? { ...own, actions } : own) as DQNOptions;
}

/** Without a noise that is given it draws uniformly, for ever. */
function actingNumbers(options: ResolvedContinuousOptions, seed: number): ContinuousOptions {
  return { ...options, ...SMALL, randomSteps: 2 ** 31 - 1, seed };
}

/** A step whose arrays no later one overwrites. */
function kept(experience: Experience): Experience {
  const { nextMask, nextCandidates } = experience as Partial<Transition>;
  return {
    ...experience,
    nextObservation: copyOf(experience.nextObservation),
    ...(nextMask && { nextMask: Uint8Array.from(nextMask) }),
    ...(nextCandidates && { nextCandidates: copyOf(nextCandidates) }),
  } as Experience;
}
