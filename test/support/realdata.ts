import { existsSync } from "node:fs";

/** Data sets that may not be redistributed: the variable that names the folder, and a file in it. */
const SETS = {
  "ml-100k": { variable: "LIVEQ_MOVIELENS", file: "u.data" },
  "open-bandit": { variable: "LIVEQ_OPEN_BANDIT", file: "random/men/men.csv" },
  "twitch-broadcasts-2019": { variable: "LIVEQ_BROADCASTS", file: "broadcasts.csv" },
} as const;

/** The folder of a data set, by default `../shared/data/NAME` beside the repository; undefined if it is not there. */
export function realData(name: keyof typeof SETS): string | undefined {
  const { variable, file } = SETS[name];
  const folder = process.env[variable] ?? `../shared/data/${name}`;
  if (existsSync(`${folder}/${file}`)) return folder;
  console.warn(`${name} is not in ${folder}: tests on it are skipped. Set ${variable} to its folder.`);
  return undefined;
}
