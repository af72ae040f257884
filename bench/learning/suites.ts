import { control } from "./control.js";
import { defaults } from "./defaults.js";
import { offers } from "./offers.js";
import { offline } from "./offline.js";
import { probes } from "./probes.js";
import type { Case, Suite } from "./suite.js";

/** All that is run, the longest first, so that no core idles at the end. */
export const SUITES: readonly Suite[] = [control, defaults, offline, offers, probes];

export const CASES: readonly Case[] = SUITES.flatMap(({ cases }) => cases);

/** @throws RangeError where there is none of the name. */
export function caseNamed(name: string): Case {
  const found = CASES.find((each) => each.name === name);
  if (!found) throw new RangeError(`there is no case ${name}`);
  return found;
}
