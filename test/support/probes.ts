import type { Environment, StepResult } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";

/** A probe: an environment so small that the value of every state and action is known. After rejax (Lu et al. 2022). */
export interface Probe {
  name: string;
  actions: number;
  /** Length of an episode. */
  length: number;
  /** The observation at step t of an episode whose coin fell on `coin`, 0 or 1. */
  observe: (t: number, coin: number) => number;
  reward: (t: number, coin: number, action: number) => number;
  /** Observations and what their best action, or each action, is worth. */
  truth: { observation: number; values: number[] }[];
}

export const GAMMA = 0.9;

export const PROBES: Probe[] = [
  {
    name: "constant reward",
    actions: 1,
    length: 1,
    observe: () => 0,
    reward: () => 1,
    truth: [{ observation: 0, values: [1] }],
  },
  {
    name: "reward by what is seen",
    actions: 1,
    length: 1,
    observe: (_, coin) => 2 * coin - 1,
    reward: (_, coin) => 2 * coin - 1,
    truth: [
      { observation: -1, values: [-1] },
      { observation: 1, values: [1] },
    ],
  },
  {
    name: "a reward that is discounted over two steps",
    actions: 1,
    length: 2,
    observe: (t) => t,
    reward: (t) => t,
    truth: [
      { observation: 0, values: [GAMMA] },
      { observation: 1, values: [1] },
    ],
  },
  {
    name: "reward by the action",
    actions: 2,
    length: 1,
    observe: () => 0,
    reward: (_, __, action) => 2 * action - 1,
    truth: [{ observation: 0, values: [-1, 1] }],
  },
  {
    name: "reward by what is seen and the action",
    actions: 2,
    length: 1,
    observe: (_, coin) => 2 * coin - 1,
    reward: (_, coin, action) => (coin === action ? 1 : -1),
    truth: [
      { observation: -1, values: [1, -1] },
      { observation: 1, values: [-1, 1] },
    ],
  },
];

/** A probe as an environment. */
export class ProbeEnvironment implements Environment {
  readonly observationSize = 1;
  readonly #probe: Probe;
  readonly #random = new Random(3);
  #t = 0;
  #coin = 0;

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  reset(): number[] {
    this.#t = 0;
    this.#coin = this.#random.below(2);
    return this.#see();
  }

  step(action: number): StepResult {
    const reward = this.#probe.reward(this.#t, this.#coin, action);
    const terminated = ++this.#t === this.#probe.length;
    return { observation: this.#see(), reward, terminated, truncated: false };
  }

  #see(): number[] {
    return [this.#probe.observe(this.#t, this.#coin)];
  }
}

/** Its actions as candidates: one feature, -1 or 1. */
export function offer({ actions }: Probe): number[] {
  return Array.from({ length: actions }, (_, action) => 2 * action - 1);
}

/** The same with candidates in place of actions. */
export class OfferedProbe extends ProbeEnvironment {
  readonly #offer: Float32Array;

  constructor(probe: Probe) {
    super(probe);
    this.#offer = Float32Array.from(offer(probe));
  }

  candidates(): Float32Array {
    return this.#offer;
  }
}
