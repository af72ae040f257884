import { readFileSync } from "node:fs";
import { show } from "../../check/index.js";
import { CONNECT_SECRETS } from "../../server/connect/index.js";
import { flagOf, KEYS, parsedBy, SETTINGS, type ServeSettings, variableOf } from "./settings.js";

/** Wrong settings: the usage of the command is wrong, not what it does. */
export class SettingError extends Error {}

/** The settings that hold, and where each comes from: a flag, a variable, a file, or `default`. */
export interface Resolved {
  readonly settings: ServeSettings;
  readonly from: Readonly<Record<keyof ServeSettings, string>>;
  /** What is odd and no error, in words. */
  readonly warnings: readonly string[];
}

/** Variables with this prefix that are no settings. */
const OTHERS = ["LIVEQ_CONFIG", "LIVEQ_RUNS", ...CONNECT_SECRETS];
/** Longest name that is compared with the known ones. */
const WORD_MAX = 40;

/**
 * The settings of a server: flags count more than the environment, the environment more than the file, and the file more
 * than defaults.
 *
 * @param flags Those that were given, as values.
 * @param file Name of a file of JSON; default: that of `LIVEQ_CONFIG`, if it is there.
 * @throws SettingError that names the setting, what it must be, what it was, and where it came from.
 */
export function resolved(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  file: string | undefined = environment["LIVEQ_CONFIG"],
): Resolved {
  const written = file === undefined ? {} : settingsIn(file);
  const settings: Record<string, unknown> = {};
  const from: Record<string, string> = {};
  for (const key of KEYS) {
    const variable = environment[variableOf(key)];
    const candidates: [string, unknown][] = [
      [flagOf(key), flags[key]],
      // Empty is as good as not set: so say files that list all variables.
      [variableOf(key), variable ? parsedBy(SETTINGS[key], variable) : undefined],
      [file ?? "", written[key]],
      ["default", SETTINGS[key].preset],
    ];
    const [source, value] = candidates.find(([, given]) => given !== undefined) ?? ["default", undefined];
    // Also what another one covers: what is wrong there comes to light some day.
    for (const [where, given] of candidates) if (given !== undefined && where !== "default") check(key, given, where);
    settings[key] = value;
    from[key] = source;
  }
  const warnings = unknownIn(environment);
  return { settings: settings as unknown as ServeSettings, from: from as Resolved["from"], warnings };
}

function check(key: keyof ServeSettings, value: unknown, from: string): void {
  const { rule, isSecret } = SETTINGS[key];
  const [holds, must] = rule;
  if (!holds(value))
    throw new SettingError(`"${key}" must be ${must}, got ${isSecret ? "another" : show(value)} (${from})`);
}

/** The settings that a file holds. @throws SettingError. */
function settingsIn(file: string): Record<string, unknown> {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new SettingError(`${file}: must hold settings as JSON: ${(cause as Error).message}`);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new SettingError(`${file}: must hold an object of settings, got ${show(given)}`);
  }
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(SETTINGS, key));
  if (unknown !== undefined) {
    const similar = closest(unknown, KEYS);
    const meant = similar === undefined ? `; there are ${KEYS.join(", ")}` : `, did you mean "${similar}"?`;
    throw new SettingError(`${show(unknown)} is not a setting${meant} (${file})`);
  }
  return given as Record<string, unknown>;
}

/**
 * Says which variables look like settings and are none.
 *
 * @throws SettingError for one that is nearly a setting. Others may be of somebody else: orchestrators set `LIVEQ_SERVICE_HOST`
 *   for a service of that name.
 */
function unknownIn(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...KEYS.map(variableOf), ...OTHERS];
  const unknown = Object.keys(environment).filter((name) => name.startsWith("LIVEQ_") && !known.includes(name));
  for (const name of unknown) {
    const similar = closest(name, known);
    if (similar !== undefined) throw new SettingError(`${name} is not a setting, did you mean ${similar}?`);
  }
  return unknown.map((name) => `${name} is not a setting`);
}

/** The known word that is at most two letters away. */
function closest(word: string, known: readonly string[]): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  const lower = word.toLowerCase();
  const [best] = known
    .map((name) => [name, distance(lower, name.toLowerCase())] as const)
    .filter(([name, away]) => away <= (name.length > 4 ? 2 : 1))
    .sort(([, a], [, b]) => a - b);
  return best?.[0];
}

/** Letters that must be changed, put in or taken out to make a word of another; two that are swapped count once. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

/** The settings as JSON, one a line, each with where it comes from; what is secret is hidden. */
export function printed({ settings, from }: Resolved): string {
  const lines = KEYS.map((key) => {
    const value = SETTINGS[key].isSecret ? hidden(settings[key]) : settings[key];
    return `  ${JSON.stringify(key)}: ${JSON.stringify({ value: value ?? null, from: from[key] })}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** Secrets without themselves: what stands behind them says what they are for. */
function hidden(value: unknown): unknown {
  if (!Array.isArray(value)) return value === undefined ? undefined : "***";
  return value.map((one: string) => `***${/=[a-z,]*$/.exec(one)?.[0] ?? ""}`);
}
