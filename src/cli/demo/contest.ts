import { POLICIES, type PolicyName } from "../../baselines/index.js";
import { type PlatformOptions, type PolicyOrOracle, satisfactionOracle, stayOracle } from "../../simulator/index.js";

/** The policies of the demo, by name. */
const CHOSEN = ["random", "popular", "dqn-gamma-0", "dqn"] as const satisfies PolicyName[];
/** Yardsticks, which see what policies have to learn. */
const ORACLES = { "stay-oracle": stayOracle, "satisfaction-oracle": satisfactionOracle } as const;

export type Contestant = (typeof CHOSEN)[number] | keyof typeof ORACLES;

/** The contestants of the demo, by name. */
export const CONTESTANTS: readonly Contestant[] = [...CHOSEN, ...(Object.keys(ORACLES) as (keyof typeof ORACLES)[])];

/** The job of a worker. */
export interface Job {
  contestant: PolicyName | Contestant;
  platform: Partial<PlatformOptions> & Pick<PlatformOptions, "seed">;
  /** Discount of `dqn`. */
  gamma: number;
}

/** A policy, and a function that frees its memory. */
export interface Running {
  policy: PolicyOrOracle;
  dispose: () => void;
}

/** A fresh contestant. */
export function enter({ contestant, platform, gamma }: Job): Running {
  if (contestant in ORACLES) return { policy: ORACLES[contestant as keyof typeof ORACLES], dispose: () => {} };
  const name = contestant as PolicyName;
  const policy = POLICIES[name].create(platform.seed, name === "dqn" ? { gamma } : undefined, "");
  return { policy, dispose: () => policy.dispose?.() };
}
