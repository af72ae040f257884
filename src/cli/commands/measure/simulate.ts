import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type DisposablePolicy, POLICIES, type PolicyName } from "../../../baselines/index.js";
import { CASE_SLICES, LiveMetrics, ReturnLog } from "../../../evaluation/index.js";
import { readBroadcasts } from "../../../logs/index.js";
import { DAY, MINUTE } from "../../../protocol/index.js";
import { Platform, type PlatformOptions } from "../../../simulator/index.js";
import { UsageError } from "../../reading/arguments.js";
import { Inputs } from "../../reading/input.js";
import { Progress } from "../../reports/index.js";
import { calibrationOf, valuesOfWorld } from "../../verdicts/index.js";
import { bySlice, rowsOf } from "../../writing/figures.js";
import { openOutputs, print, tryOutputs, writing } from "../../writing/output.js";
import { noteCalibration, printVerdicts, writeRows } from "../../writing/results.js";
import { Trial } from "./ab.js";

export interface SimulateOptions extends Pick<PlatformOptions, "satiation" | "satisfactionEffect" | "newcomers"> {
  policy: PolicyName;
  ab?: PolicyName[];
  abDays: number;
  gamma: number;
  viewers: number;
  streamers?: number;
  days: number;
  slate: number;
  seed: number;
  warmupDays: number;
  schedule?: string;
  out?: string;
  decisions?: string;
  json?: string;
  report?: string;
}

/** Simulated time between two checks of the signal. */
const STEP = 10 * MINUTE;

/** The broadcasts in a file with a length above 0, for the simulator. */
async function readSchedule(file: string, signal: AbortSignal): Promise<PlatformOptions["schedule"]> {
  const inputs = new Inputs([file], signal);
  const schedule: NonNullable<PlatformOptions["schedule"]>[number][] = [];
  let empty = 0;
  for await (const broadcast of readBroadcasts(inputs.open(file), basename(file))) {
    const { channel, startMs, lengthMs, category, averageViewers } = broadcast;
    if (lengthMs > 0) schedule.push({ channel, startMs, lengthMs, category, averageViewers });
    else empty++;
  }
  if (schedule.length === 0) throw new Error(`${file}: must hold broadcasts with a length, got none`);
  const left = empty > 0 ? `; ${empty} of no length left out` : "";
  process.stderr.write(`${file}: ${schedule.length} broadcasts${left}\n`);
  return schedule;
}

function check({ days, warmupDays, streamers, schedule, out, decisions, json, ab, abDays }: SimulateOptions): void {
  if (warmupDays >= days) throw new UsageError(`"--warmup-days" must be below "--days" (${days}), got ${warmupDays}`);
  if (ab !== undefined && ab.length !== 2) throw new UsageError(`"--ab" must be two policies, got ${ab.join(",")}`);
  if (ab !== undefined && warmupDays + abDays >= days) {
    throw new UsageError(
      `"--days" must be above "--warmup-days" and "--ab-days" (${warmupDays + abDays}), got ${days}`,
    );
  }
  if (schedule !== undefined && streamers !== undefined) {
    throw new UsageError('"--streamers" must not be given with "--schedule", which has its own streamers');
  }
  const files = [out, decisions, json].filter((file) => file !== undefined);
  if (new Set(files).size < files.length) {
    throw new UsageError('"--out", "--decisions" and "--json" must be different files');
  }
}

/** The policy, or the A/B test of two. */
function policyOf(options: SimulateOptions): DisposablePolicy {
  const { gamma, seed, viewers, warmupDays, ab, abDays } = options;
  // Without a name of its own, so that the same seed writes the same log.
  const make = (name: PolicyName) => POLICIES[name].create(seed, name === "dqn" ? { gamma } : undefined, "");
  if (ab === undefined) return make(options.policy);
  const [a, b] = ab as [PolicyName, PolicyName];
  return new Trial(make(a), make(b), { seed, users: viewers, days: abDays, from: warmupDays * DAY });
}

/**
 * Runs a policy on a simulated platform, writes the events and the decisions, and prints the figures. Returns false if the
 * signal ended the run early; both logs are then complete up to that time.
 */
export async function simulate(options: SimulateOptions, signal: AbortSignal): Promise<boolean> {
  check(options);
  tryOutputs(options.out, options.decisions, options.json);
  const { viewers, streamers, days, slate, seed, warmupDays, satiation, satisfactionEffect, newcomers } = options;
  const schedule = options.schedule === undefined ? {} : { schedule: await readSchedule(options.schedule, signal) };
  const size = streamers === undefined ? {} : { streamers };
  const policy = policyOf(options);
  const live = new LiveMetrics({ from: warmupDays * DAY });
  // What other policies call a score is no value of a return.
  const isValued = options.report !== undefined && options.ab === undefined && options.policy === "dqn";
  const returns = isValued ? new ReturnLog() : undefined;
  const [out, decisions] = openOutputs([options.out, options.decisions], signal);
  const progress = new Progress("events");
  await writing([out, decisions], async () => {
    const platform = new Platform(
      policy,
      { viewers, days, slate, seed, warmupDays, satiation, satisfactionEffect, newcomers, ...size, ...schedule },
      {
        onEvent(event) {
          live.feedback(event);
          returns?.feedback(event);
          out?.write(event);
        },
        onDecision(decision) {
          live.decision(decision);
          returns?.decision(decision);
          decisions?.write(decision);
        },
      },
    );
    for (let time = STEP; time <= days * DAY && !signal.aborted; time += STEP) {
      platform.advance(time);
      const { events, watchMinutesPerViewerDay: minutes } = platform.metrics();
      const text = Number.isFinite(minutes) ? `${minutes.toFixed(1)} min/viewer/day` : "";
      progress.show({ count: events, fraction: time / (days * DAY), text });
      await out?.drain();
      await decisions?.drain();
      await setImmediate();
    }
  });
  progress.end();
  policy.dispose?.();
  const figures = live.result();
  const shown = CASE_SLICES.slice(0, 3);
  const about = `${policy.name}, seed ${seed}: ${viewers} viewers, slates of ${slate}; mean [95 % interval by user]`;
  const trial = policy instanceof Trial ? `\n${policy.text}\n` : "";
  print(`${bySlice(figures, shown)}\n${about}\n${trial}`, options.out, options.decisions, options.json);
  if (policy instanceof Trial) printVerdicts([policy.verdict()], options.out, options.decisions, options.json);
  if (returns !== undefined) noteCalibration(calibrationOf(returns, valuesOfWorld(options)));
  const rows = policy instanceof Trial ? policy.rows(seed) : [];
  writeRows(options.json, [...rowsOf(figures, "recommender", `livesim/${policy.name}`, [seed]), ...rows]);
  return !signal.aborted;
}
