/** The tables of bench/README.md, each made from the committed rows in bench/results. */
import { readRows, type StoredRow } from "../src/cli/writing/results.js";
import { quantile } from "../src/statistics/index.js";
import { figure, wanted } from "./harness/goals.js";
import { duration, markdown, tablesOf } from "./peers/report.js";
import { FARSIGHT_GOALS } from "./recommender/farsight/goals.js";

const RESULTS = "bench/results";
const SHAPES = ["S", "M", "L", "sparse L", "XL"];

/** Rows of a file by case and metric. */
class Rows {
  readonly all: readonly StoredRow[];

  constructor(file: string, runtime = "") {
    this.all = readRows(`${RESULTS}/${file}.json`).filter((row) => row.runtime.startsWith(runtime));
  }

  /** @throws Error where there is none. */
  of(name: string, metric: string): StoredRow {
    const found = this.all.find((row) => row.case === name && row.metric === metric);
    if (!found) throw new Error(`there is no row ${name} ${metric}`);
    return found;
  }
}

/** A share without the zero before its point. */
const share = (value: number, digits = 3) => value.toFixed(digits).replace(/^(-?)0\./, "$1.");

/** A figure with its interval. */
function between({ value, lo, hi }: StoredRow, digits: number, show = (x: number) => x.toFixed(digits)): string {
  return lo === undefined ? show(value) : `${show(value)} [${show(lo)}, ${show(hi!)}]`;
}

const percent = (row: StoredRow) => between(row, 0, (x) => String(Math.round(100 * x)));

/** A rate in three digits. */
const perSecond = ({ value }: StoredRow) => `${Number(value.toPrecision(3)).toLocaleString("en")} events/s`;

function livesim(): string {
  const rows = new Rows("livesim");
  const names = {
    random: "random",
    popular: "most popular",
    "dqn-gamma-0": "the DQN, gamma 0",
    dqn: "the DQN, gamma .9",
    "stay-oracle": "an oracle of the stay, once entered",
    "satisfaction-oracle": "an oracle of what satisfies, once entered",
  };
  const lines = Object.entries(names).map(([policy, title]) => [
    title,
    between(rows.of(`livesim/${policy}`, "watch_min_per_user_day"), 2),
    between(rows.of(`livesim/${policy}`, "sessions_per_user_day"), 2),
    between(rows.of(`livesim/${policy}`, "satisfaction"), 2),
    share(rows.of(`livesim/${policy}`, "click_rate").value),
    share(rows.of(`livesim/${policy}`, "catalogue_coverage").value, 2),
  ]);
  const header = [
    "watch min / viewer / day",
    "sessions / viewer / day",
    "satisfaction",
    "clicks / impression",
    "coverage",
  ];
  return markdown(["policy", ...header], lines);
}

/** What stays over a year, by quarter. */
function year(): string {
  const rows = new Rows("year");
  const metrics = {
    watch_min_per_user_day: ["watched a viewer's place and day, min", 1],
    sessions_per_user_day: ["sessions a viewer's place and day", 2],
    satisfaction: ["satisfaction at the end", 2],
    newcomers: ["newcomers", 0],
    shown_value: ["value of a shown stream", 2],
    loss_mean: ["loss", 2],
    request_cpu_p50_us: ["CPU of a request, median, us", 0],
    users: ["users known", 0],
    pending: ["decisions that wait", 0],
  } as const;
  const lines = Object.entries(metrics).map(([metric, [title, digits]]) => {
    const ratio = rows.all.find((row) => row.case === "year/flat" && row.metric === `${metric}_ratio`);
    const quarters = [1, 2, 3, 4].map((quarter) => rows.of(`year/quarter-${quarter}`, metric).value.toFixed(digits));
    return [title, ...quarters, ratio === undefined ? "" : between(ratio, 2)];
  });
  return markdown(["", "quarter 1", "2", "3", "4", "last over second"], lines);
}

function farsight(): string {
  const { all } = new Rows("farsight");
  const lines = all
    .filter(({ suite }) => suite === "farsight")
    .map((row) => {
      const n = String(row.n ?? row.seeds?.length ?? "");
      const verdict = row.met === undefined ? "" : row.met ? "yes" : "no";
      return [row.case, row.metric, between(row, 2), n, wanted(row, FARSIGHT_GOALS), verdict];
    });
  return markdown(["case", "figure", "mean [95 % interval]", "n", "goal", "met"], lines);
}

function order(): string {
  const rows = new Rows("platform");
  const names = {
    random: "anything",
    popular: "what most people watch",
    "click-oracle": "what an oracle expects to be clicked",
    "watch-oracle": "what it expects to be watched",
    "farsighted-oracle": "that, and what keeps people content",
  };
  const lines = Object.entries(names).map(([policy, title]) => [
    title,
    between(rows.of(`order/${policy}`, "watch_min_per_user_day"), 1),
    share(rows.of(`order/${policy}`, "click_rate").value),
  ]);
  return markdown(["shown is", "watch min / viewer / day", "clicks / impression"], lines);
}

function calibration(): string {
  const rows = new Rows("platform").all.filter((row) => row.case === "calibration" && !row.met);
  const lines = rows.map(({ metric, unit, published, value }) => [
    unit === "1" || unit === "min" ? metric : `${metric}, ${unit}`,
    figure(published!, unit),
    figure(value, unit),
  ]);
  return markdown(["statistic outside its band", "published", "simulated"], lines);
}

function recsim(): string {
  const rows = new Rows("platform").all.filter((row) => row.case.startsWith("recsim/"));
  const lines = rows.map((row) => {
    const [, size, policy] = row.case.split("/");
    const [candidates, slate] = size!.split("-");
    return [`${candidates} documents, slates of ${slate}, ${policy}`, between(row, 1), `${row.published}`];
  });
  return markdown(["RecSim's interest evolution", "minutes of a session", "restated elsewhere"], lines);
}

function bars(): string {
  const rows = new Rows("platform");
  const names = {
    random: "random",
    itempop: "ItemPop",
    "itemknn-50": "ItemKNN, cosine, 50",
    "itemknn-100-recency": "ItemKNN, 100, recency",
    "bpr-64": "BPR, 64 factors",
    "ease-300": "EASE, 300",
    "ease-100": "EASE, 100",
  };
  const metrics = ["hr_at_10", "hr_at_20", "ndcg_at_10", "hr_at_10_sampled_99", "ndcg_at_10_sampled_99"];
  const lines = Object.entries(names).map(([ranker, title]) => [
    title,
    ...metrics.map((metric) => {
      const { value, published } = rows.of(`ml-100k/${ranker}`, metric);
      return `${share(value)} (${share(published!)})`;
    }),
    between(rows.of(`ml-100k/${ranker}`, "hr_at_10_sampled_99_redrawn"), 3, share),
  ]);
  const header = ["HR@10, all unseen items", "HR@20", "NDCG@10", "HR@10, 1 + 99", "NDCG@10", "other 99: HR@10"];
  return markdown(["MovieLens-100K", ...header], lines);
}

function offpolicy(): string {
  const rows = new Rows("platform");
  const names = {
    "random-to-popular-1": "most popular, from random, a slate of one",
    "explore-.5-to-.1-3": "epsilon .1, from .5, slates of three",
    "explore-.3-to-.6-6": "epsilon .6, from .3, slates of six",
  };
  const lines = Object.entries(names).flatMap(([pair, title]) =>
    ["click", "watch"].map((reward) => {
      const name = `offpolicy/${pair}/${reward}`;
      const alone = rows.of(name, "true_per_decision").value / rows.of(name, "true_in_one_step").value - 1;
      const what = reward === "click" ? "clicks" : "minutes";
      return [`${what} of ${title}`, percent(rows.of(name, "dr_bias_in_one_step")), String(Math.round(100 * alone))];
    }),
  );
  const header = ["estimate off by, %", "when it serves alone, %"];
  return markdown(["doubly robust estimate of one step", ...header], lines);
}

function speed(): string {
  const rows = new Rows("platform");
  const prepared = new Rows("prepare");
  const stages = { read: "read and checked", read_clean: "cleaned too", read_clean_features: "into feature rows too" };
  const lines = Object.entries(stages).map(([stage, title]) => {
    return [`JSON lines, ${title}`, perSecond(rows.of("pipeline/jsonl", `${stage}_per_second`))];
  });
  const ways = {
    jsonl: "JSON lines",
    "jsonl-cleaned": "cleaned",
    "jsonl-sorted": "sorted",
    "csv-mapped": "CSV, mapped",
  };
  for (const [way, title] of Object.entries(ways)) {
    lines.push([`\`prepare\`, ${title}`, perSecond(prepared.of(`prepare/${way}`, "events_per_second"))]);
  }
  const peak = (events: number) => (prepared.of(`prepare/${events}-events`, "peak_bytes").value / 1e6).toFixed(0);
  lines.push(["`prepare`, memory for 1 and 10 million events", `${peak(1_000_000)} and ${peak(10_000_000)} MB`]);
  const long = (metric: string) => prepared.of("prepare/long", metric).value;
  const size = `${(long("bytes") / 1e9).toFixed(1)} GB, ${(long("events") / 1e6).toFixed(0)} million events`;
  lines.push([`\`prepare\`, memory for ${size}`, `${(long("peak_bytes") / 1e6).toFixed(0)} MB`]);
  for (const viewers of [1000, 10_000, 100_000]) {
    const name = `simulator/${viewers}-viewers-10000-streamers`;
    const [rate, memory] = [rows.of(name, "events_per_second"), rows.of(name, "memory")];
    const cell = `${perSecond(rate)}, ${figure(memory.value, "MB")} MB`;
    lines.push([`simulator, 10,000 streamers, ${viewers.toLocaleString("en")} viewers`, cell]);
  }
  for (const streams of [1000, 10_000, 100_000]) {
    const ms = (metric: string) => figure(rows.of(`catalogue/${streams}`, metric).value / 1000, "ms");
    const towers = `${ms("retrieval_with_towers_us")} with towers, ${ms("retrieval_with_probed_towers_us")} with a probe`;
    lines.push([`retrieval, ${streams.toLocaleString("en")} streams on air`, `${ms("retrieval_us")} ms; ${towers}`]);
  }
  const memory = "memory/100000-users-10000-streams";
  const [total, user] = [rows.of(memory, "total_bytes").value / 1e9, rows.of(memory, "bytes_per_user").value / 1000];
  lines.push(["100,000 users of ten visits, 10,000 streams", `${total.toFixed(1)} GB, ${user.toFixed(0)} KB a user`]);
  return markdown(["speed and memory, one core", ""], lines);
}

function causes(): string {
  const rows = new Rows("causes");
  const names = { chat: "chat", picture: "pictures", region: "the region", friends: "friends" };
  const lines = Object.entries(names).map(([cause, title]) => [
    title,
    between(rows.of(`causes/${cause}/core`, "fitting_share"), 2, (x) => share(x, 2)),
    between(rows.of(`causes/${cause}/default`, "fitting_share"), 2, (x) => share(x, 2)),
    between(rows.of(`causes/${cause}/default`, "gain_min_per_user_day"), 1),
  ]);
  lines.push(["nothing of these", "", "", between(rows.of("causes/none/default", "gain_min_per_user_day"), 1)]);
  const header = ["share that fits, core groups", "default groups", "more minutes a viewer and day"];
  return markdown(["what fits a viewer is decided by", ...header], lines);
}

function ranker(): string {
  const rows = new Rows("ml-100k");
  const metrics = ["hr_at_10", "ndcg_at_10", "hr_at_10_sampled_99", "ndcg_at_10_sampled_99"];
  const names = { itempop: "ItemPop", itemknn: "ItemKNN, cosine, 50", ease: "EASE, 300", dqn: "the DQN, 2 seeds" };
  const lines = Object.entries(names).map(([name, title]) => [
    title,
    ...metrics.map((metric) => between(rows.of(`ml-100k/${name}`, metric), 3, share)),
  ]);
  return markdown(["MovieLens-100K", "HR@10, all unseen items", "NDCG@10", "HR@10, 1 + 99", "NDCG@10"], lines);
}

/** What is learned from logs of any kind, beside what knows no user or no context. */
function logs(): string {
  const rows = new Rows("logs");
  const cases = [...new Set(rows.all.filter(({ metric }) => metric === "rows").map((row) => row.case))];
  const counts = (name: string, ...metrics: string[]) =>
    metrics.map((metric) => rows.of(name, metric).value.toLocaleString("en")).join(" / ");
  const policies = ["recommender", "popular", "itemknn", "ease", "above-popular"];
  const lines = cases.flatMap((name) => {
    const title = name.slice("logs/".length);
    const { note, value } = rows.of(name, "rows");
    const empty = policies.map(() => "");
    // Of a log that cannot be ranked there is nothing but the reason.
    if (note !== undefined) return [[title, `cannot be ranked: ${note}`, ...empty, value.toLocaleString("en")]];
    return (["hr_at_10", "ndcg_at_10"] as const).map((metric) => [
      title,
      metric === "hr_at_10" ? "HR@10" : "NDCG@10",
      ...policies.map((policy) => between(rows.of(`${name}/${policy}`, metric), 3, share)),
      metric === "hr_at_10" ? counts(name, "rows", "kept", "updates") : "",
    ]);
  });
  const header = ["DQN", "most popular", "ItemKNN", "EASE", "above most popular", "rows read / events kept / updates"];
  return markdown(["log", "on later time", ...header], lines);
}

/** What the ranker reaches without each group of features, and what the group brings. */
function groups(): string {
  const rows = new Rows("ml-100k");
  const suffix = "-brings";
  const all = rows.all.filter(({ case: name, metric }) => name.endsWith(suffix) && metric === "hr_at_10");
  const lines = all.map(({ case: name }) => {
    const group = name.slice("ml-100k-groups/".length, -suffix.length);
    return [
      group,
      between(rows.of(`ml-100k-groups/without-${group}`, "hr_at_10"), 3, share),
      between(rows.of(name, "hr_at_10"), 3, share),
      between(rows.of(name, "ndcg_at_10"), 3, share),
    ];
  });
  return markdown(["group of features", "HR@10 without it", "it brings, HR@10", "it brings, NDCG@10"], lines);
}

/** What was tried on the last but one interactions. */
function tuning(): string {
  const rows = new Rows("ml-100k").all.filter(
    ({ case: name, metric }) => name.startsWith("ml-100k-tuning/") && metric === "hr_at_10",
  );
  const all = new Rows("ml-100k");
  const lines = rows.map((row) => [
    row.case.slice("ml-100k-tuning/".length),
    between(row, 3, share),
    between(all.of(row.case, "ndcg_at_10"), 3, share),
  ]);
  return markdown(["tried on the last but one ratings", "HR@10", "NDCG@10"], lines);
}

function learning(): string {
  const rows = new Rows("learning");
  const lines = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"].map((name) => {
    const runs = rows.all.filter((row) => row.case === name && row.recipe !== undefined);
    const middle = (metric: string) => {
      const values = runs.filter((row) => row.metric === metric).map(({ value }) => value);
      return quantile(Float64Array.from(values).sort(), 0.5);
    };
    const { value: solved, n } = rows.of(name, "solved_seeds");
    return [
      name,
      between(rows.of(name, "return_iqm"), 1),
      rows.of(name, "return_min").value.toFixed(1),
      `${solved} of ${n}`,
      middle("steps").toLocaleString("en"),
      `${figure(middle("train_seconds"), "s")} s`,
    ];
  });
  const header = ["IQM over seeds", "worst seed", "seeds that solve it", "steps, median", "training, median"];
  return markdown(["environment", ...header], lines);
}

function continuous(): string {
  const rows = new Rows("learning");
  const lines = ["Pendulum-v1", "MountainCarContinuous-v0"].map((name) => {
    const mean = rows.of(name, "return_seeds_mean");
    const worst = rows.of(name, "return_min").value.toFixed(1);
    const steps = Math.round(rows.of(name, "steps_mean").value).toLocaleString("en");
    return [name, between(mean, 1), worst, String(mean.n), steps];
  });
  return markdown(["environment", "mean over seeds", "worst seed", "seeds", "steps, mean"], lines);
}

function compression(): string {
  const rows = new Rows("compression");
  const ways = { int8: "int8", pruned: "half of the neurons, by values", student: "student of a quarter, by values" };
  const names = [...new Set(rows.all.map((row) => /^(.*)\/int8$/.exec(row.case)?.[1] ?? "").filter(Boolean))];
  const lines = names.flatMap((name) =>
    Object.entries(ways).map(([way, title]) => {
      const own = (metric: string) => rows.of(`${name}/${way}`, `${metric}_mean`);
      const loss = own("loss_percent");
      const smaller = own("times_smaller").value.toFixed(1);
      return [
        name,
        title,
        smaller,
        between(loss, 2),
        between(own("tau"), 3),
        between(own("same_best"), 3),
        String(loss.n),
      ];
    }),
  );
  const header = [
    "environment",
    "agent",
    "times smaller",
    "% of the return lost",
    "Kendall's tau",
    "same best",
    "seeds",
  ];
  const timed = ["S", "M", "L", "XL", "candidates"].filter((name) =>
    rows.all.some((row) => row.case === `speed/${name}`),
  );
  const speeds = timed.map((name) => {
    const own = (metric: string) => rows.of(`speed/${name}`, metric);
    const faster = own("times_faster").value.toFixed(2);
    const times = ["f32_us", "int8_us"].map((metric) => figure(own(metric).value, "us"));
    return [name, ...times, faster, own("times_smaller").value.toFixed(2)];
  });
  const speedHeader = ["shape", "f32, us", "int8, us", "times faster", "times smaller"];
  const first = markdown(header, lines);
  return timed.length > 0 ? `${first}\n\n${markdown(speedHeader, speeds)}` : first;
}

function defaults(): string {
  const rows = new Rows("learning").all.filter((row) => row.case.startsWith("defaults/"));
  const environments = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"];
  const lines = [...new Set(rows.map((row) => row.case))].map((name) => {
    const means = environments.map((environment) => {
      const values = rows.filter((row) => row.case === name && row.metric === `return ${environment}`);
      return (values.reduce((sum, { value }) => sum + value, 0) / values.length).toFixed(1);
    });
    return [name.slice("defaults/".length), ...means];
  });
  return markdown(["options, mean return of six seeds", ...environments], lines);
}

function offline(): string {
  const rows = new Rows("learning");
  const lines = ["offline/cql", "offline/cql-narrow"].map((name) => [
    name,
    ...["behaviour", "cql", "plain"].map((who) => between(rows.of(name, `return_${who}_mean`), 0)),
  ]);
  return markdown(["from logs alone, mean return", "the logs' policy", "CQL", "without CQL"], lines);
}

function engine(): string {
  const [newer, older] = [new Rows("engine", "node 24"), new Rows("engine", "node 20")];
  const titles = {
    S: "S: 4-120-84-2, 128",
    M: "M: 100-50-10, 32",
    L: "L: 1000-128-100, 64",
    "sparse L": "sparse L: the same, 30 of 1000 inputs not 0, as index inputs",
    XL: "XL: 256-512-512-1000, 256",
    candidates: "candidates: 64 + 32 features, 128-64, batch 32 with 32 next candidates",
  };
  const lines = Object.entries(titles).map(([shape, title]) => {
    const cells = (rows: Rows) => {
      const [time, top] = [rows.of(`train/${shape}`, "time_us"), rows.of(`train/${shape}`, "roofline_percent")];
      return [duration(time.value), top.value.toFixed(0)];
    };
    const threads = newer.all.find((row) => row.case === `train/${shape}, 2 threads` && row.metric === "time_us");
    return [title, ...cells(newer), threads ? duration(threads.value) : "-", ...cells(older)];
  });
  const header = ["Node 24", "% of roofline", "two threads", "Node 20", "% of roofline"];
  return markdown(["observation-hidden-actions, batch", ...header], lines);
}

function decisions(): string {
  const shapes = [...SHAPES, "candidates"];
  const lines = ["node 24", "node 20"].map((runtime) => {
    const rows = new Rows("engine", runtime);
    const times = shapes.map((shape) => duration(rows.of(`act/${shape}`, "time_us").value));
    return [runtime.replace("node", "Node"), ...times];
  });
  return markdown(["one decision", ...shapes], lines);
}

function goals(): string {
  const missed = [new Rows("engine", "node 24"), new Rows("engine", "node 20")].flatMap(({ all }) =>
    all.filter(({ met }) => met === false),
  );
  const lines = missed.map(({ runtime, case: name, metric, value, target }) => {
    const isTime = metric === "time_us";
    const unit = isTime ? "us" : "%";
    const runtimeName = runtime.replace("node", "Node").replace(/\..*/, "");
    return [
      `${name}, ${runtimeName}`,
      `${value.toFixed(2)} ${unit}`,
      `${isTime ? "at most" : "at least"} ${target} ${unit}`,
    ];
  });
  return markdown(["missed goal", "median", "goal"], lines);
}

function runtimes(): string {
  const rows = new Rows("runtimes").all;
  const lines = [...new Set(rows.map(({ runtime }) => runtime))].map((runtime) => [
    runtime.replace(/(\d+\.\d+)\..*/, "$1"),
    ...SHAPES.map((shape) =>
      duration(rows.find((row) => row.runtime === runtime && row.case === `train/${shape}`)!.value),
    ),
  ]);
  return markdown(["train step", ...SHAPES], lines);
}

/** A server: what was measured, and the goals. */
function server(): string {
  const { all } = new Rows("server");
  const lines = all.map(({ case: name, metric, value, unit, target, met }) => [
    name,
    metric,
    `${Number(value.toPrecision(3)).toLocaleString("en")} ${unit === "1" ? "" : unit}`.trim(),
    target === undefined ? "" : `${target.toLocaleString("en")}${met === false ? ", missed" : ""}`,
  ]);
  return markdown(["case", "figure", "measured", "goal"], lines);
}

/** What was broken, and what held. */
function faults(): string {
  const { all } = new Rows("faults");
  const lines = all.map(({ case: name, metric, value, n, target, met }) => [
    name,
    (n ?? 0).toLocaleString("en"),
    metric.replaceAll("_", " "),
    Number(value.toPrecision(4)).toLocaleString("en"),
    target === undefined ? "" : `${target.toLocaleString("en")}${met === false ? ", missed" : ""}`,
  ]);
  return markdown(["case", "how often", "figure", "counted", "goal"], lines);
}

function chain(): string {
  const rows = new Rows("learning");
  const lines = ["epsilon", "thompson"].map((arm) => {
    const { value: solved, n } = rows.of("chain-20", `${arm}_solved_seeds`);
    return [arm, between(rows.of("chain-20", `${arm}_reward_mean`), 1), `${solved} of ${n}`];
  });
  return markdown(["exploration", "reward of 1,000 episodes", "seeds that solve it greedily"], lines);
}

const TABLES: Readonly<Record<string, () => string>> = {
  ...{
    livesim,
    year,
    farsight,
    causes,
    order,
    calibration,
    recsim,
    bars,
    offpolicy,
    speed,
    ranker,
    logs,
    groups,
    tuning,
    learning,
    continuous,
    chain,
    compression,
    defaults,
    offline,
  },
  ...{ engine, decisions, goals, runtimes, server, faults },
  peers: () => tablesOf(new Rows("peers").all),
};

/**
 * A text with every table between `<!-- bench: NAME -->` and `<!-- end -->` made again.
 * @throws Error where a table has no place, or a place no table.
 */
export function withTables(text: string): string {
  const left = new Set(Object.keys(TABLES));
  const written = text.replace(/<!-- bench: (\w+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    if (!left.delete(name)) throw new Error(`there is no table ${name}, or it is there twice`);
    return `<!-- bench: ${name} -->\n\n${TABLES[name]!()}\n\n<!-- end -->`;
  });
  if (left.size > 0) throw new Error(`no place for the tables ${[...left].join(", ")}`);
  return written;
}
