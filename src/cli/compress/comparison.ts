import { fields, finite, list, requireShape } from "../../check/index.js";
import type { AgentState } from "../../engine/compression/index.js";
import type { DQN } from "../../engine/index.js";
import type { Environment } from "../../training/index.js";
import { type Attempt, type AttemptOptions, Attempts, WAYS } from "./attempts.js";
import { type Judged, lossOf } from "./choice.js";
import { play } from "./tasks.js";

/** What the ways are compared on. */
export interface Trial {
  readonly agent: DQN;
  readonly states: readonly AgentState[];
  /** Where returns are measured; without one the loss is of best actions. */
  readonly environment: Environment | undefined;
  readonly episodes: number;
  /** Milliseconds, for times. */
  now(): number;
}

/** Milliseconds for which the decisions of an attempt are timed, and states among which they are. */
const TIMED_MS = 200;
const TIMED_STATES = 50;
/** Seeds of the episodes that judge, away from those whose states are learned on. */
const JUDGING = 500_000;

/** The agent as it was, then what each way gives; fewer once the signal has come. */
export async function compareWays(trial: Trial, options: AttemptOptions): Promise<Judged[]> {
  const attempts = new Attempts(trial.agent, trial.states, options);
  const { environment, episodes } = trial;
  const returnsOf = (attempt: Attempt) =>
    Array.from({ length: episodes }, (_, i) => play(attempt.actor, environment!, JUDGING + options.seed + i));
  const { original } = attempts;
  const before = environment && returnsOf(original);
  const nothing = { value: 0, lo: 0, hi: 0, n: 0 };
  const all: Judged[] = [{ attempt: original, loss: nothing, microseconds: timeOf(original, trial) }];
  for (const way of WAYS) {
    if (options.signal.aborted) break;
    const attempt = await attempts.make(way);
    const loss = before ? lossOf(before, returnsOf(attempt)) : lossByAction(attempt);
    all.push({ attempt, loss, microseconds: timeOf(attempt, trial) });
  }
  return all;
}

/** Without an environment: the share of the states in which another action is best. */
function lossByAction({ agreement }: Attempt) {
  const value = 1 - agreement.sameBest;
  return { value, lo: value, hi: value, n: 0 };
}

/** Microseconds in which a state is valued. */
function timeOf({ actor }: Attempt, { states, now }: Trial): number {
  const begin = now();
  const some = states.slice(0, TIMED_STATES);
  let [count, gone] = [0, 0];
  for (; gone < TIMED_MS; gone = now() - begin) {
    for (const { observation, available } of some) actor.evaluate(observation, available);
    count += some.length;
  }
  return (1000 * gone) / count;
}

/** States of a text: a line of JSON each, { "observation": [...], "available": [...] }. @throws Error that names the line. */
export function statesIn(text: string): AgentState[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    let state: unknown;
    try {
      state = JSON.parse(line);
    } catch (cause) {
      throw new Error(`line ${i + 1} is not JSON: ${(cause as Error).message}`, { cause });
    }
    const isOffered = typeof state === "object" && state !== null && "available" in state;
    const numbers = list(finite);
    const shape = isOffered ? fields({ observation: numbers, available: numbers }) : fields({ observation: numbers });
    requireShape(shape, state, `line ${i + 1}`);
    return state as AgentState;
  });
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The comparison as a table. */
export function cellsOf(all: readonly Judged[], hasReturns: boolean): [header: string[], rows: string[][]] {
  const header = [
    "way",
    "hidden",
    "bytes",
    "smaller",
    "us",
    "same best",
    "tau",
    hasReturns ? "loss of return" : "loss",
  ];
  const rows = all.map(({ attempt, loss, microseconds }) => [
    attempt.name,
    attempt.hidden.join("-"),
    String(attempt.bytes),
    attempt.ratio.toFixed(2),
    microseconds.toFixed(2),
    attempt.agreement.sameBest.toFixed(3),
    attempt.agreement.tau.toFixed(3),
    loss.n > 0 ? `${percent(loss.value)} [${percent(loss.lo)}, ${percent(loss.hi)}]` : percent(loss.value),
  ]);
  return [header, rows];
}

/** The same as figures. */
export function figuresOf(all: readonly Judged[], seed: number) {
  return all.flatMap(({ attempt, loss, microseconds }) => {
    const { bytes, ratio, agreement } = attempt;
    const own = { suite: "compress", case: `compress/${attempt.name}`, seeds: [seed] };
    return [
      { ...own, metric: "network_bytes", value: bytes, unit: "B", isExact: true },
      { ...own, metric: "times_smaller", value: ratio, unit: "1", isExact: true },
      { ...own, metric: "evaluate_us", value: microseconds, unit: "us" },
      { ...own, metric: "same_best", value: agreement.sameBest, unit: "1" },
      { ...own, metric: "kendall_tau", value: agreement.tau, unit: "1" },
      {
        ...own,
        metric: "loss",
        unit: "1",
        value: loss.value,
        ...(loss.n > 0 && { lo: loss.lo, hi: loss.hi, n: loss.n }),
      },
    ];
  });
}
