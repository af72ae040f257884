import type { FaultCase } from "./case.js";
import { KILLS } from "./kills.js";
import { ROLLING } from "./rolling.js";

/** All cases, the quick ones first. */
export const CASES: readonly FaultCase[] = [ROLLING, KILLS];
