import {
  fields,
  finite,
  nonNegative,
  nonNegativeInteger,
  numbers,
  requireShape,
  type Shape,
} from "../../check/index.js";
import type { Id } from "../../protocol/index.js";

/** How far a recommender agrees with decisions of others: decayed means, each over about the last 1000 of them. */
export interface Agreement {
  /** Decisions compared. */
  decisions: number;
  /** Share of their slate that its own best slate of the same size holds, [0, 1]; NaN before the first decision. */
  overlap: number;
  /** Share of decisions whose first stream is its own first one, [0, 1]. */
  first: number;
  /** Kendall's tau between their order of the slate and that of its own scores, [-1, 1]; slates of one have none. */
  rankCorrelation: number;
  /** The overlap that slates drawn at random from its candidates would have, [0, 1]. */
  chance: number;
  /** Mean value, by its own estimate, of its best slate; NaN before the end of its warm-up. */
  ownValue: number;
  /** The same of their slates. */
  otherValue: number;
}

/** What is compared at a decision. */
export interface Compared {
  /** The slate of the other policy, and the recommender's own score of each stream. */
  readonly shown: readonly Id[];
  readonly scores: ArrayLike<number>;
  /** The recommender's own best slate of the same size. */
  readonly own: readonly Id[];
  /** How many candidates it chose from. */
  readonly candidates: number;
  /** Values of both slates, if they are known. */
  readonly values: { readonly own: number; readonly other: number } | undefined;
}

/** Weight of all earlier decisions at each new one. */
const DECAY = 1 - 1 / 1000;

type Name = Exclude<keyof Agreement, "decisions">;
const NAMES: readonly Name[] = ["overlap", "first", "rankCorrelation", "chance", "ownValue", "otherValue"];

/** The plain values of `AgreementMeter.save`. */
export interface SavedAgreement {
  decisions: number;
  /** In order of the fields of `Agreement`: decayed sums, and their weights. */
  sums: number[];
  weights: number[];
}

const SAVED: Shape = fields<SavedAgreement>({
  decisions: nonNegativeInteger,
  sums: numbers(NAMES.length, finite),
  weights: numbers(NAMES.length, nonNegative),
});

/** Decayed means of the agreement with other policies. */
export class AgreementMeter {
  #decisions = 0;
  #sums = NAMES.map(() => 0);
  #weights = NAMES.map(() => 0);

  /** Takes a decision of another policy, before it is learned from; one without streams says nothing. */
  add({ shown, scores, own, candidates, values }: Compared): void {
    if (shown.length === 0) return;
    this.#decisions++;
    const chosen = new Set(own);
    this.#take("overlap", shown.filter((id) => chosen.has(id)).length / shown.length);
    this.#take("first", Number(shown[0] === own[0]));
    this.#take("chance", Math.min(1, shown.length / Math.max(candidates, 1)));
    if (shown.length > 1) this.#take("rankCorrelation", kendall(scores, shown.length));
    if (values === undefined) return;
    this.#take("ownValue", values.own);
    this.#take("otherValue", values.other);
  }

  read(): Agreement {
    const mean = (name: Name) => this.#sums[NAMES.indexOf(name)]! / this.#weights[NAMES.indexOf(name)]!;
    const means = Object.fromEntries(NAMES.map((name) => [name, mean(name)])) as Record<Name, number>;
    return { decisions: this.#decisions, ...means };
  }

  save(): SavedAgreement {
    return { decisions: this.#decisions, sums: [...this.#sums], weights: [...this.#weights] };
  }

  /** Restores the values of `save`. @throws RangeError that names what is wrong. */
  load(saved: SavedAgreement): void {
    requireShape(SAVED, saved, "agreement");
    const { decisions, sums, weights } = saved;
    this.#decisions = decisions;
    this.#sums = [...sums];
    this.#weights = [...weights];
  }

  #take(name: Name, value: number): void {
    const at = NAMES.indexOf(name);
    this.#sums[at] = this.#sums[at]! * DECAY + value;
    this.#weights[at] = this.#weights[at]! * DECAY + 1;
  }
}

/** Kendall's tau-a between the order of n scores and the largest first; a tie counts as neither. */
export function kendall(scores: ArrayLike<number>, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) sum += Math.sign(scores[i]! - scores[j]!);
  }
  return (2 * sum) / (n * (n - 1));
}
