import { BODIES } from "./bodies.js";
import type { FaultCase } from "./case.js";
import { CLOCKS } from "./clocks.js";
import { DAMAGE } from "./damage.js";
import { DISK, WITHOUT } from "./disk.js";
import { KILLS } from "./kills.js";
import { MEMORY } from "./memory.js";
import { ROLLING } from "./rolling.js";
import { SPACE } from "./space.js";

/** All cases, the quick ones first. */
export const CASES: readonly FaultCase[] = [
  ...[WITHOUT, DISK, BODIES, CLOCKS, DAMAGE, MEMORY, SPACE],
  // Those that start processes.
  ...[ROLLING, KILLS],
];
