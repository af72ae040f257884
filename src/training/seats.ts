import { type AgentInput, valueAt } from "../engine/index.js";
import { type Chosen, choose, chooseTogether, copyOf, isContinuous, type Learner, observeAs } from "./driver.js";
import { type AnyEnvironment, after, isLater, type Later, type StepResult } from "./environment.js";
import type { Course, Source } from "./run.js";
import { type SavedSeat, type SavedTraining, toPlain } from "./saved.js";

/** Environments that choose together: fewer choose as fast alone. */
const FEWEST_AHEAD = 2;

/** An environment and its current episode. */
interface Seat {
  environment: AnyEnvironment;
  /** The current observation: a copy, as the environment may reuse its array. */
  observation: AgentInput;
  return: number;
  length: number;
}

/** A step that is under way. */
interface Begun {
  chosen: Chosen;
  result: Later<StepResult<AgentInput>>;
}

/** Environments that take turns, a step each. */
export class Seats implements Source {
  readonly #agent: Learner;
  readonly #environments: readonly AnyEnvironment[];
  readonly #seed: number;
  /** By environment; of a promise where its first observation is to come. */
  #sitting: Later<Seat>[] = [];
  #seats: Seat[] = [];
  /** Episodes started so far. */
  #started = 0;
  /** Actions that are chosen already, for the environments whose turns come next, the last one first. */
  #ahead: number[] = [];
  /** The same, where steps are promises: those that run side by side. */
  #begun: Begun[] = [];
  #isLate = false;

  constructor(agent: Learner, environments: readonly AnyEnvironment[], seed: number, from?: SavedTraining) {
    this.#agent = agent;
    this.#environments = environments;
    this.#seed = seed;
    if (!from) return;
    this.#started = from.started;
    this.#sitting = environments.map((environment, i) => this.#seatFrom(environment, from.seats[i]!, i));
    if (!this.#sitting.some(isLater)) this.#seats = this.#sitting as Seat[];
  }

  /** The saved episode, or a new one if the environment cannot restore it. */
  #seatFrom(environment: AnyEnvironment, saved: SavedSeat, index: number): Later<Seat> {
    if (saved.state === null || !environment.restore) {
      this.#agent.abandonEpisode(index);
      return this.#sit(environment);
    }
    environment.restore(saved.state);
    return { environment, observation: copyOf(saved.observation), return: saved.return, length: saved.length };
  }

  async begin(): Promise<void> {
    if (this.#sitting.length === 0) {
      // Unfinished episodes of an earlier caller must not join the first ones.
      this.#agent.abandonEpisode();
      this.#sitting = this.#environments.map((environment) => this.#sit(environment));
    }
    if (this.#seats.length === 0) this.#seats = await Promise.all(this.#sitting);
  }

  saved(): Pick<SavedTraining, "seats" | "started"> {
    if (this.#seats.length === 0) throw new Error("the training has not started: save the agent instead");
    const seats = this.#seats.map(({ environment, observation, ...seat }) => ({
      observation: toPlain(observation),
      return: seat.return,
      length: seat.length,
      state: environment.state?.() ?? null,
    }));
    return { seats, started: this.#started };
  }

  end(): void {}

  /** Starts an episode. */
  #sit(environment: AnyEnvironment): Later<Seat> {
    const first: Later<AgentInput> = environment.reset(this.#seed + this.#started++);
    const seat = after(first, (each) => ({ environment, observation: copyOf(each), return: 0, length: 0 }));
    this.#watch(seat);
    return seat;
  }

  /** Notes a promise. Where several wait and one fails, the others may fail too, and nobody asks for them. */
  #watch(result: Later<unknown>): void {
    if (!isLater(result)) return;
    this.#isLate = true;
    result.then(undefined, () => {});
  }

  /** In the environment whose turn it is. */
  step(course: Course): Later<void> {
    const index = course.steps % this.#seats.length;
    if (this.#ahead.length === 0 && this.#begun.length === 0) this.#lookAhead(course);
    const { chosen, result } = this.#begun.pop() ?? this.#begin(index, this.#ahead.pop());
    return isLater(result)
      ? result.then((each) => this.#take(course, index, chosen, each))
      : this.#take(course, index, chosen, result);
  }

  #begin(index: number, action: number | undefined): Begun {
    const { environment, observation } = this.#seats[index]!;
    const chosen = choose(this.#agent, environment, observation, index, action);
    const result = chosen.step();
    this.#watch(result);
    return { chosen, result };
  }

  #take(course: Course, index: number, chosen: Chosen, result: StepResult<AgentInput>): Later<void> {
    const seat = this.#seats[index]!;
    observeAs(this.#agent, chosen.experience(seat.observation, result, index));
    seat.return += result.reward;
    seat.length++;
    if (!(result.terminated || result.truncated)) {
      seat.observation = copyOf(result.observation);
      return undefined;
    }
    course.ended(index, seat.return, seat.length);
    return after(this.#sit(seat.environment), (next) => {
      this.#seats[index] = next;
    });
  }

  /**
   * Chooses for as many environments in turn as act before anything is learned, reported, evaluated or saved: by the same
   * weights and draws as one by one, since their states are known. Steps that are promises then run side by side. Noisy
   * weights are new for each step, so they choose alone.
   */
  #lookAhead(course: Course): void {
    const agent = this.#agent;
    if (isContinuous(agent)) return;
    const { epsilon, trainEvery, noisySigma, slate } = agent.options;
    const count = Math.min(this.#seats.length, course.undisturbed, trainEvery - (agent.steps % trainEvery));
    if (count < FEWEST_AHEAD || noisySigma > 0 || slate) return;
    const indices = Array.from({ length: count }, (_, i) => (course.steps + i) % this.#seats.length);
    const epsilons = indices.map((_, i) => valueAt(epsilon, agent.steps + i));
    const seats = indices.map((index) => this.#seats[index]!);
    const actions = chooseTogether(agent, seats, epsilons);
    // From the last to the first.
    if (this.#isLate) this.#begun = indices.map((index, i) => this.#begin(index, actions[i])).reverse();
    else this.#ahead = actions.reverse();
  }
}
