import type { Part } from "./part.js";
import { PLATFORM } from "./platform.js";

/** The suites of `npm run bench:recommender`, by name. */
export const SUITES: Readonly<Record<string, readonly Part[]>> = { platform: PLATFORM };

export function partNamed(name: string): Part {
  const part = Object.values(SUITES)
    .flat()
    .find((each) => each.name === name);
  if (!part) throw new Error(`there is no part ${name}`);
  return part;
}
