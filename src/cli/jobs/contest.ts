import { POLICIES, type PolicyName } from "../../baselines/index.js";
import {
  type PolicyOrOracle,
  type SimulationResult,
  satisfactionOracle,
  simulate,
  stayOracle,
} from "../../simulator/index.js";
import { recommenderOptions } from "../reading/options.js";
import type { Contestant, WorldTask } from "./tasks.js";

/** Yardsticks, which see what policies have to learn. */
const ORACLES = { "stay-oracle": stayOracle, "satisfaction-oracle": satisfactionOracle } as const;

/** All of them, by name. */
export const CONTESTANTS: readonly Contestant[] = [
  ...(Object.keys(POLICIES) as PolicyName[]),
  ...(Object.keys(ORACLES) as (keyof typeof ORACLES)[]),
];

/** A policy, and a function that frees its memory. */
export interface Running {
  policy: PolicyOrOracle;
  dispose: () => void;
}

/** A fresh contestant. */
export function enter({ contestant, platform, options }: Omit<WorldTask, "kind">): Running {
  if (contestant in ORACLES) return { policy: ORACLES[contestant as keyof typeof ORACLES], dispose: () => {} };
  const own = options && recommenderOptions(options);
  const policy = POLICIES[contestant as PolicyName].create(platform.seed, own, "");
  return { policy, dispose: () => policy.dispose?.() };
}

/** Lets a contestant serve its world to the end. */
export function serveWorld(task: WorldTask, onProgress: (fraction: number) => void): SimulationResult {
  const { policy, dispose } = enter(task);
  const result = simulate(policy, task.platform, { onProgress });
  dispose();
  return result;
}
