/** What an apprentice learns from the decisions of a good but not perfect recommender, and earns in its place. */

import { ContextPolicy, RandomPolicy } from "../../../src/baselines/index.js";
import { Random } from "../../../src/numeric/index.js";
import { DAY, type Decision, type LiveEvent, type Policy, type Request } from "../../../src/protocol/index.js";
import { type Agreement, Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { simulate } from "../../../src/simulator/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** A week of the teacher, then three days of the apprentice or of the teacher itself. */
const WORLD = { viewers: 400, streamers: 600, days: 10, warmupDays: 7 } as const;
const TUNED = 100;
const WORLDS = 16;
/** Share of the requests at which the teacher shows a random slate. */
const RANDOM_SHARE = 0.1;

const CQL: RecommenderOptions["learner"] = { cqlAlpha: 0.3 };
const CLONE: RecommenderOptions["learner"] = { clone: { updates: 6000 } };

const ARMS: Record<string, Partial<RecommenderOptions>> = {
  dqn: { learner: { ...CQL, ...CLONE } },
  "no-clone": { learner: CQL },
  "no-cql": { learner: CLONE },
  neither: {},
};

/** Popular by context, and at a tenth of the requests random. */
class Teacher implements Policy {
  readonly name = "teacher";
  readonly #usual = new ContextPolicy();
  readonly #odd: RandomPolicy;
  readonly #random: Random;

  constructor(seed: number) {
    this.#odd = new RandomPolicy(seed);
    this.#random = Random.named(seed, "teacher");
  }

  recommend(request: Request): Decision {
    const [usual, odd] = [this.#usual.recommend(request), this.#odd.recommend(request)];
    return this.#random.bernoulli(RANDOM_SHARE) ? { ...odd, id: `odd-${odd.id}` } : usual;
  }

  feedback(event: LiveEvent): void {
    this.#usual.feedback(event);
    this.#odd.feedback(event);
  }
}

/** A teacher, whose apprentice takes its place at the end of the warm-up. */
class Succession implements Policy {
  readonly name = "succession";
  readonly #teacher: Teacher;
  readonly #apprentice: Recommender;
  /** At the end of cloning; without it, of the apprenticeship. */
  agreement: Agreement | undefined;

  constructor(seed: number, apprentice: Recommender) {
    this.#teacher = new Teacher(seed);
    this.#apprentice = apprentice;
  }

  recommend(request: Request): Decision {
    const apprentice = this.#apprentice;
    const isOver = request.now >= WORLD.warmupDays * DAY;
    const { clone } = apprentice.options.learner;
    if (isOver || (clone && apprentice.stats().updates >= clone.updates)) this.agreement ??= apprentice.agreement();
    if (isOver) {
      apprentice.graduate();
      return apprentice.recommend(request);
    }
    const decision = this.#teacher.recommend(request);
    apprentice.recordDecision(decision);
    return decision;
  }

  feedback(event: LiveEvent): void {
    if (event.time < WORLD.warmupDays * DAY) this.#teacher.feedback(event);
    this.#apprentice.feedback(event);
  }
}

/** Figures of one apprentice in one world; the arm's name comes before that of the metric, with a colon. */
export function figuresOf(arm: string, seed: number, options: Partial<RecommenderOptions>): Result[] {
  const apprentice = new Recommender({ seed, apprentice: true, ...options });
  const succession = new Succession(seed, apprentice);
  const { watchMinutesPerViewerDay } = simulate(succession, { ...WORLD, seed });
  const { first, overlap, chance, rankCorrelation } = succession.agreement!;
  const last = apprentice.agreement();
  apprentice.dispose();
  return [
    { metric: `${arm}:watch_min_per_user_day`, unit: "min", value: watchMinutesPerViewerDay },
    { metric: `${arm}:agreement_at_1`, unit: "share", value: first },
    { metric: `${arm}:agreement_of_slates`, unit: "share", value: overlap },
    { metric: `${arm}:agreement_by_chance`, unit: "share", value: chance },
    { metric: `${arm}:rank_correlation`, unit: "1", value: rankCorrelation },
    { metric: `${arm}:agreement_at_graduation`, unit: "share", value: last.first },
    { metric: `${arm}:value_over_teacher`, unit: "1", value: last.ownValue - last.otherValue },
  ];
}

/** Minutes of the teacher in the place of an apprentice. */
export function figuresOfTeacher(seed: number): Result[] {
  const { watchMinutesPerViewerDay } = simulate(new Teacher(seed), { ...WORLD, seed });
  return [{ metric: "teacher:watch_min_per_user_day", unit: "min", value: watchMinutesPerViewerDay }];
}

/** One world with the teacher, and with each apprentice of it. */
export const APPRENTICE: readonly ProcessCase[] = [
  {
    name: "farsight/apprentice",
    title: "three days of an apprentice after a week beside its teacher, paired worlds",
    seeds: WORLDS,
    recipe: { WORLD, TUNED, RANDOM_SHARE, ARMS },
    run: ({ seed }: CaseContext) => [
      ...figuresOfTeacher(TUNED + seed),
      ...Object.entries(ARMS).flatMap(([arm, options]) => figuresOf(arm, TUNED + seed, options)),
    ],
  },
];
