import { POLICIES, type PolicyName } from "../../baselines/index.js";
import type { Policy } from "../../protocol/index.js";
import type { PlatformOptions } from "../../simulator/index.js";

/** The contestants of the demo, by name. */
export const CONTESTANTS = ["random", "popular", "dqn-gamma-0", "dqn"] as const satisfies PolicyName[];

export type Contestant = (typeof CONTESTANTS)[number];

/** The job of a worker. */
export interface Job {
  contestant: PolicyName;
  platform: Partial<PlatformOptions> & Pick<PlatformOptions, "seed">;
  /** Discount of `dqn`. */
  gamma: number;
}

/** A policy, and a function that frees its memory. */
export interface Running {
  policy: Policy;
  dispose: () => void;
}

/** A fresh contestant. */
export function enter({ contestant, platform, gamma }: Job): Running {
  const policy = POLICIES[contestant].create(platform.seed, contestant === "dqn" ? { gamma } : undefined);
  return { policy, dispose: () => policy.dispose?.() };
}
