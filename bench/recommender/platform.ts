/** The ground that recommenders stand on: what the world is like, what is known of it, and what it costs. */
import { existsSync } from "node:fs";
import type { Row } from "../../src/cli/writing/results.js";
import { CALIBRATION, calibrate } from "./calibration.js";
import { measureCatalogue } from "./catalogue.js";
import { movielensBars } from "./movielens.js";
import { measureOffPolicy } from "./offpolicy.js";
import { measureOrder } from "./order.js";
import { type Part, SUITE } from "./part.js";
import { measureMemory, measurePipeline } from "./pipeline.js";
import { recsim } from "./recsim.js";
import { measureSimulator } from "./simulator.js";

/** As many as make the differences of a tenth of a minute visible. */
const RECSIM_EPISODES = 10_000;
/** Where MovieLens-100K is, if anywhere: it may not be handed on. */
const MOVIELENS = process.env["LIVEQ_MOVIELENS"] ?? "../shared/data/ml-100k";

/** Every statistic of the world beside the published one. */
function calibrationRows(tell: (text: string) => void): Row[] {
  const { seeds } = CALIBRATION;
  const statistics = calibrate(CALIBRATION, (done) => tell(`${done} of ${seeds.length} worlds`));
  return statistics.map(({ name, source, unit, published, band, simulated, fits, note }) => {
    const common = { suite: SUITE, case: "calibration", metric: name, unit, ...simulated, published, source };
    return { ...common, band, met: fits, ...(!fits && note !== undefined && { note }) };
  });
}

/** What each policy earns, and what it earns more than the one below, which must be above 0 but for the watch oracle. */
function orderRows(tell: (text: string) => void): Row[] {
  const rungs = measureOrder(undefined, (done, all) => tell(`${done} of ${all} runs`));
  return rungs.flatMap(({ name, gain, ...figures }) => {
    const common = { suite: SUITE, case: `order/${name}` };
    const rows: Row[] = [
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

async function movielensRows(tell: (text: string) => void): Promise<Row[]> {
  if (!existsSync(MOVIELENS)) {
    tell(`${MOVIELENS} is not there: left out; LIVEQ_MOVIELENS=DIR says where it is`);
    return [];
  }
  return movielensBars(MOVIELENS);
}

export const PLATFORM: readonly Part[] = [
  { name: "calibration", title: "the simulator beside Twitch and KuaiLive", isTimed: false, run: calibrationRows },
  { name: "order", title: "what policies that see more earn more", isTimed: false, run: orderRows },
  {
    name: "recsim",
    title: "RecSim's interest evolution beside restated figures",
    isTimed: false,
    run: () => recsim(RECSIM_EPISODES).map(({ agrees, ...row }) => ({ ...row, met: agrees })),
  },
  {
    name: "offpolicy",
    title: "what the log of one policy says of another, beside what that one earns",
    isTimed: false,
    run: measureOffPolicy,
  },
  { name: "movielens", title: "baselines on MovieLens-100K beside known figures", isTimed: false, run: movielensRows },
  { name: "memory", title: "memory for 100,000 users and 10,000 streams", isTimed: true, run: measureMemory },
  { name: "pipeline", title: "events a second: read, clean, features", isTimed: true, run: measurePipeline },
  {
    name: "simulator",
    title: "events a second and memory of simulated worlds",
    isTimed: true,
    run: () => measureSimulator(),
  },
  {
    name: "catalogue",
    title: "the catalogue and retrieval up to 100,000 streams",
    isTimed: true,
    run: () => measureCatalogue(),
  },
];
