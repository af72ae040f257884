/** The cases of the recommender: the simulated world, baselines and estimates on it, speed and memory. */
import { existsSync } from "node:fs";
import { defaultRankerFeatures } from "../../src/ranking/index.js";
import type { CaseContext, ProcessCase, Result } from "../harness/suite.js";
import {
  CALIBRATION,
  type Calibrated,
  calibrate,
  calibrateSatiation,
  SATIATION_WORLDS,
} from "./calibration/calibration.js";
import { CAUSES, measureCauses } from "./causes.js";
import { FARSIGHT } from "./farsight/rows.js";
import { LOG_CASES, measureLog } from "./logs.js";
import { movielensBars } from "./movielens.js";
import { measureOffPolicy } from "./offpolicy.js";
import { measureOrder } from "./order.js";
import { RANKER_TRIALS, rankerGroupRows, rankerRows, rankerTrialRows } from "./ranker.js";
import { recsim } from "./recsim.js";
import { measureSatiation } from "./satiation.js";
import { measureCatalogue } from "./speed/catalogue.js";
import { measureLatency } from "./speed/latency.js";
import { measureMemory, measurePipeline } from "./speed/pipeline.js";
import { measureLongLog, measurePreparing } from "./speed/preparing.js";
import { measureSaving, nameOf, SAVES } from "./speed/saving.js";
import { measureSimulator } from "./speed/simulator.js";
import { measureUsers, POPULATIONS, populationName } from "./speed/users.js";
import { measureYear } from "./year.js";

/** As many as make the differences of a tenth of a minute visible. */
const RECSIM_EPISODES = 10_000;
/** Where MovieLens-100K is, if anywhere: it may not be handed on. */
const MOVIELENS = process.env["LIVEQ_MOVIELENS"] ?? "../shared/data/ml-100k";

/** Statistics of the world beside the published ones, as rows. */
function calibratedRows(name: string, statistics: readonly Calibrated[]): Result[] {
  return statistics.map(({ name: metric, source, unit, published, band, simulated, fits, note }) => {
    const common = { case: name, metric, unit, ...simulated, published, source };
    return { ...common, band, met: fits, ...(!fits && note !== undefined && { note }) };
  });
}

/** Every statistic of the world. */
function calibrationRows({ say }: CaseContext): Result[] {
  const { seeds } = CALIBRATION;
  const statistics = calibrate(CALIBRATION, (done) => say(`${done} of ${seeds.length} worlds`));
  return calibratedRows("calibration", statistics);
}

/** Satiations, in minutes, at which users have to watch as long as at the default. */
const SATIATIONS = [45, 80, 120, 180, 400, Number.POSITIVE_INFINITY];

/** How long users watch in all, at one satiation. */
function satiationRows(satiation: number, { say }: CaseContext): Result[] {
  const { seeds } = SATIATION_WORLDS;
  const statistics = calibrateSatiation(satiation, SATIATION_WORLDS, (done) =>
    say(`${done} of ${seeds.length} worlds`),
  );
  return calibratedRows(satiationCase(satiation), statistics);
}

function satiationCase(satiation: number): string {
  return `calibration/satiation-${satiation === Number.POSITIVE_INFINITY ? "none" : satiation}`;
}

/** How much each policy earns, and how much more than the one below it, which must be above 0. */
function orderRows({ say }: CaseContext): Result[] {
  const rungs = measureOrder(undefined, (done, all) => say(`${done} of ${all} runs`));
  return rungs.flatMap(({ name, gain, ...figures }) => {
    const common = { case: `order/${name}` };
    const rows: Result[] = [
      { ...common, metric: "watch_min_per_user_day", unit: "min", ...figures.watchMinutesPerViewerDay },
      { ...common, metric: "click_rate", unit: "1", ...figures.clickRate },
      { ...common, metric: "engaged_per_click", unit: "1", ...figures.engagedPerClick },
      { ...common, metric: "satisfaction", unit: "1", ...figures.satisfaction },
    ];
    if (gain)
      rows.push({ ...common, metric: "gain_min_per_user_day", unit: "min", ...gain, target: 0, met: gain.lo > 0 });
    return rows;
  });
}

/** The folder of MovieLens-100K, if it is there. */
function movielensFolder(say: CaseContext["say"]): string | undefined {
  if (existsSync(MOVIELENS)) return MOVIELENS;
  say(`${MOVIELENS} is not there: left out; set LIVEQ_MOVIELENS to its folder`);
  return undefined;
}

/** A measurement on MovieLens-100K, or nothing where it is not. */
function onMovielens(measure: (dir: string, context: CaseContext) => Promise<Result[]>): ProcessCase["run"] {
  return async (context) => {
    const folder = movielensFolder(context.say);
    return folder === undefined ? [] : measure(folder, context);
  };
}

export const CASES: readonly ProcessCase[] = [
  { name: "calibration", title: "the simulator beside Twitch and KuaiLive", run: calibrationRows },
  ...SATIATIONS.map((satiation) => ({
    name: satiationCase(satiation),
    title: `how long users watch beside KuaiLive, at satiation ${satiation}`,
    run: (context: CaseContext) => satiationRows(satiation, context),
  })),
  {
    name: "satiation",
    title: "whether people come back later after a long session: MovieLens-100K and the simulator",
    run: ({ say }) => measureSatiation(movielensFolder(say)),
  },
  { name: "order", title: "whether policies that see more earn more", run: orderRows },
  ...CAUSES.causes.map((cause) => ({
    name: `causes/${cause}`,
    title: `default groups of features beside the core ones, where ${cause === "none" ? "no cause" : cause} decides what fits`,
    run: ({ say }: CaseContext) => measureCauses({ ...CAUSES, causes: [cause] }, say),
  })),
  {
    name: "recsim",
    title: "RecSim's interest evolution beside restated figures",
    run: () => recsim(RECSIM_EPISODES).map(({ agrees, ...row }) => ({ ...row, met: agrees })),
  },
  ...FARSIGHT,
  {
    name: "offpolicy",
    title: "estimates of a policy from the log of another, beside its own earnings",
    run: ({ say }) => measureOffPolicy(say),
  },
  ...LOG_CASES.map((log) => ({
    name: `logs/${log.name}`,
    title: `what is learned from ${log.title}, beside most popular, ItemKNN and EASE on later time`,
    run: ({ say }: CaseContext) => measureLog(log, say),
  })),
  {
    name: "movielens",
    title: "baselines on MovieLens-100K beside known figures",
    run: onMovielens((dir) => movielensBars(dir)),
  },
  ...RANKER_TRIALS.map((trial) => ({
    name: `ml-100k-tuning/${trial.name}`,
    title: "a setting of the DQN ranker on the last but one ratings of MovieLens-100K",
    recipe: trial,
    run: onMovielens((dir) => rankerTrialRows(dir, trial)),
  })),
  {
    name: "ml-100k",
    title: "the DQN ranker and others on the last ratings of MovieLens-100K",
    run: onMovielens((dir) => rankerRows(dir)),
  },
  ...defaultRankerFeatures.map((group) => ({
    name: `ml-100k-groups/${group}`,
    title: `what the group ${group} brings to the DQN ranker on MovieLens-100K`,
    run: onMovielens((dir) => rankerGroupRows(dir, group)),
  })),
  {
    name: "year",
    title: "a year with viewers who come and go: quality, values, memory and time a request by quarter",
    isAlone: true,
    run: ({ say }) => measureYear(say),
  },
  {
    name: "memory",
    title: "memory for 100,000 users and 10,000 streams",
    isAlone: true,
    run: ({ say }) => measureMemory(say),
  },
  ...POPULATIONS.map((population) => ({
    name: populationName(population),
    title: "memory, time an event and a request, and a save, by number of users",
    isAlone: true,
    run: ({ say }: CaseContext) => measureUsers(population, say),
  })),
  {
    name: "pipeline",
    title: "events a second: read, clean, features",
    isAlone: true,
    run: ({ say }) => measurePipeline(say),
  },
  {
    name: "prepare",
    title: "speed of preparing JSON lines beside JSON.parse, and its memory",
    isAlone: true,
    run: ({ say }) => measurePreparing(say),
  },
  {
    name: "prepare-long",
    title: "memory while a log of 10 GB is read and cleaned",
    isAlone: true,
    run: ({ say }) => measureLongLog(say),
  },
  {
    name: "simulator",
    title: "events a second and memory of simulated worlds",
    isAlone: true,
    run: () => measureSimulator(),
  },
  {
    name: "catalogue",
    title: "the catalogue and retrieval up to 100,000 streams",
    isAlone: true,
    run: () => measureCatalogue(),
  },
  ...SAVES.map((saved) => ({
    name: nameOf(saved),
    title: "saving and loading while it serves: bytes, time, longest pause, memory",
    isAlone: true,
    run: ({ say }: CaseContext) => measureSaving(saved, say),
  })),
  {
    name: "latency",
    title: "feedback and recommend at 200 candidates, beside another build with --against",
    isAlone: true,
    run: measureLatency,
  },
];
