import { checked, type Rule, type Rules, rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";

/** The two sides of a test: `a` is what there was, `b` what is new. */
export type TestArm = "a" | "b";

export interface ArmAssignmentOptions {
  /** Of the experiment, 1 to 200 characters: another name deals the users anew. */
  name: string;
  /** Of the assignment, an integer >= 0. Default 0. */
  seed: number;
  /** Share of the users in arm `b`, in (0, 1). Default 0.5. */
  share: number;
}

const name: Rule = [
  (value) => typeof value === "string" && value.length >= 1 && value.length <= 200,
  "a string of 1 to 200 characters",
];
export const share: Rule = [(value) => typeof value === "number" && value > 0 && value < 1, "in (0, 1)"];

/** The part of others' options that arms are. */
export const ARMS_TABLE: Rules<ArmAssignmentOptions> = { name, seed: rules.count, share };
export const ARMS_DEFAULTS: Omit<ArmAssignmentOptions, "name"> = { seed: 0, share: 0.5 };

/**
 * Deals users to the arms of an experiment by a hash of seed, experiment and user: a user stays in an arm wherever and
 * whenever asked, nothing is kept, and experiments of other names cut across each other.
 */
export class ArmAssignment {
  readonly options: Readonly<ArmAssignmentOptions>;

  /** @throws TypeError or RangeError for unknown, missing or wrong options. */
  constructor(options: Pick<ArmAssignmentOptions, "name"> & Partial<ArmAssignmentOptions>) {
    this.options = checked<ArmAssignmentOptions>(options, ARMS_TABLE, ARMS_DEFAULTS);
  }

  /** The arm of a user; takes about a microsecond. */
  of(user: Id): TestArm {
    const { name, seed, share } = this.options;
    return Random.named(seed, "arm", name, user).uniform() < share ? "b" : "a";
  }
}
