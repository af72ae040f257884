import type { ProcessCase } from "../harness/suite.js";
import { chain } from "./chain.js";
import { continuous } from "./continuous.js";
import { control } from "./control.js";
import { defaults } from "./defaults.js";
import { offers } from "./offers.js";
import { offline } from "./offline.js";
import { probes } from "./probes.js";
import type { Group } from "./suite.js";
import { trees } from "./trees.js";

/** The longest first, so that no core idles at the end. */
export const GROUPS: readonly Group[] = [control, continuous, defaults, offline, trees, chain, offers, probes];

export const CASES: readonly ProcessCase[] = GROUPS.flatMap(({ cases }) => cases);
