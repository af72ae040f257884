import { checked, nonNegativeInteger, type Rule, type Rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";

/** The arms of a test: `a` is the control, `b` the treatment. */
export type TestArm = "a" | "b";

export interface ArmAssignmentOptions {
  /** Name of the experiment, 1 to 200 characters. Another name assigns the users anew. */
  name: string;
  /** Seed of the assignment, an integer >= 0. Default 0. */
  seed: number;
  /** Share of the users in arm `b`, in (0, 1). Default 0.5. */
  share: number;
}

const name: Rule = [
  (value) => typeof value === "string" && value.length >= 1 && value.length <= 200,
  "a string of 1 to 200 characters",
];
export const share: Rule = [(value) => typeof value === "number" && value > 0 && value < 1, "in (0, 1)"];

/** Rules of the options that {@link ArmAssignmentOptions} adds to others. */
export const ARMS_TABLE: Rules<ArmAssignmentOptions> = { name, seed: nonNegativeInteger, share };
export const ARMS_DEFAULTS: Omit<ArmAssignmentOptions, "name"> = { seed: 0, share: 0.5 };

/**
 * Assigns users to the arms of an experiment by a hash of seed, experiment and user: a user's arm is the same
 * everywhere and at any time, nothing is stored, and experiments with different names are independent.
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
