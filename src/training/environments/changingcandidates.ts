import { Random, weightedIndex } from "../../numeric/index.js";
import type { Environment, StepResult } from "../environment.js";
import { Episode, fieldsOf, indexOf, numbersOf } from "./episode.js";

/** A finite Markov decision process with candidates, as plain data, enough to compute its optimal value. */
export interface ChangingCandidatesModel {
  /** Discount for each step, [0, 1). */
  readonly gamma: number;
  /** States of the viewer; an episode starts in each equally likely. */
  readonly moods: readonly string[];
  /** Features of each item: (thrill, depth), each in [0, 1]. */
  readonly items: readonly (readonly [thrill: number, depth: number])[];
  /** Sets of items to offer, as indices; each step draws one, each equally likely. */
  readonly sets: readonly (readonly number[])[];
  /** (moods, items): reward of choosing an item in a mood. */
  readonly rewards: readonly (readonly number[])[];
  /** (moods, items, moods): probability of the next mood. */
  readonly transitions: readonly (readonly (readonly number[])[])[];
}

/** Factor of every reward, by mood. */
const APPETITE = [0.1, 0.5, 1];
/** The largest probability with which an item lowers or lifts the mood. */
const SWING = 0.8;
const STEP_LIMIT = 50;

const ITEMS = [
  [1, 0],
  [0.9, 0.3],
  [0.8, 0.6],
  [0.6, 0.1],
  [0.5, 0.5],
  [0.4, 0.9],
  [0.2, 0.3],
  [0.1, 0.7],
  [0, 1],
] as const;

function makeModel(): ChangingCandidatesModel {
  const moods = ["weary", "content", "keen"];
  const top = moods.length - 1;
  const rewards = APPETITE.map((appetite) => ITEMS.map(([thrill]) => appetite * (0.3 + 0.7 * thrill)));
  const transitions = moods.map((_, mood) =>
    ITEMS.map(([thrill, depth]) => {
      const next = moods.map(() => 0);
      const down = SWING * thrill * (1 - depth);
      const up = SWING * depth * (1 - thrill);
      next[Math.max(mood - 1, 0)]! += down;
      next[Math.min(mood + 1, top)]! += up;
      next[mood]! += 1 - down - up;
      return next;
    }),
  );
  const sets = [
    [0, 8],
    [0, 3, 6],
    [1, 7],
    [0, 5, 6, 4],
    [2, 3],
    [1, 4, 8],
    [3, 5],
    [0, 2, 7, 6, 8],
    [4, 6],
    [1, 3, 5, 7, 8, 0],
  ];
  return { gamma: 0.9, moods, items: ITEMS, sets, rewards, transitions };
}

/**
 * A viewer who gets other candidates at every step, in number and content, and whose mood follows the choices.
 *
 * Observation: one number for each mood, 1 for the current one. Candidates: (n, 2), thrill and depth of each item of a
 * set that is drawn anew. Thrill pays at once, by the mood; but thrill without depth wears the viewer out, and only
 * depth without thrill lifts the mood, in which everything pays more. Always taking the largest reward reaches 38 % of
 * the optimum. Episodes are truncated after 50 steps.
 */
export class ChangingCandidates implements Environment {
  /** The process that decides rewards and moods. */
  static readonly model: ChangingCandidatesModel = makeModel();
  readonly observationSize: number = ChangingCandidates.model.moods.length;
  /** Features of a candidate. */
  readonly features = 2;
  /** The most candidates of a step. */
  readonly maxCandidates: number = Math.max(...ChangingCandidates.model.sets.map((set) => set.length));
  readonly #episode = new Episode("offers", this.maxCandidates, STEP_LIMIT);
  readonly #observation = new Float32Array(this.observationSize);
  #random!: Random;
  #mood = 0;
  #set = 0;

  /** Index of the viewer's mood. */
  get mood(): number {
    return this.#mood;
  }

  /** Index of the set that is offered. */
  get set(): number {
    return this.#set;
  }

  reset(seed?: number): Float32Array {
    this.#random = this.#episode.begin(seed);
    this.#mood = this.#random.below(ChangingCandidates.model.moods.length);
    return this.#draw();
  }

  step(action: number): StepResult {
    this.#episode.check(action);
    const { sets, rewards, transitions } = ChangingCandidates.model;
    const set = sets[this.#set]!;
    if (action >= set.length) {
      throw new RangeError(`"action" must be an integer in [0, ${set.length - 1}] now, got ${action}`);
    }
    const item = set[action]!;
    const reward = rewards[this.#mood]![item]!;
    this.#mood = weightedIndex(this.#random, transitions[this.#mood]![item]!);
    return { observation: this.#draw(), reward, ...this.#episode.end(false) };
  }

  state(): unknown {
    const random = Array.from(this.#random?.state() ?? []);
    return { episode: this.#episode.state(), random, mood: this.#mood, set: this.#set };
  }

  restore(state: unknown): void {
    const { episode, random, mood, set } = fieldsOf(state, "episode", "random", "mood", "set");
    const words = Uint32Array.from(numbersOf("random", random, 4));
    const { moods, sets } = ChangingCandidates.model;
    const indices = [indexOf("mood", mood, moods.length), indexOf("set", set, sets.length)] as const;
    this.#episode.restore(episode);
    this.#random = new Random(0);
    this.#random.restore(words);
    [this.#mood, this.#set] = indices;
  }

  candidates(): Float32Array {
    return ROWS[this.#set]!.slice();
  }

  #draw(): Float32Array {
    this.#set = this.#random.below(ChangingCandidates.model.sets.length);
    this.#observation.fill(0);
    this.#observation[this.#mood] = 1;
    return this.#observation;
  }
}

/** (n, 2) features of each set. */
const ROWS = ChangingCandidates.model.sets.map((set) =>
  Float32Array.from(set.flatMap((item) => ChangingCandidates.model.items[item]!)),
);
