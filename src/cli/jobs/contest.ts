import { POLICIES, type PolicyName } from "../../baselines/index.js";
import { ReturnLog } from "../../evaluation/index.js";
import { type PolicyOrOracle, satisfactionOracle, simulate, stayOracle } from "../../simulator/index.js";
import { recommenderOptions } from "../reading/options.js";
import { returnFigures, valuesOfWorld } from "../verdicts/index.js";
import type { Contestant, WorldResult, WorldTask } from "./tasks.js";

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
export function serveWorld(task: WorldTask, onProgress: (fraction: number) => void): WorldResult {
  const { policy, dispose } = enter(task);
  const { valued } = task;
  const log = valued && new ReturnLog();
  const result = simulate(policy, task.platform, {
    onProgress,
    ...(log && { onEvent: (event) => log.feedback(event), onDecision: (decision) => log.decision(decision) }),
  });
  dispose();
  return { ...result, ...(log && { returns: returnFigures(log, valuesOfWorld(valued)) }) };
}
