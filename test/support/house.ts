/** A room of src/: its folder, and what belongs there. */
export interface Room {
  readonly path: string;
  readonly holds: string;
}

/**
 * The rooms of src/, from the roof to the ground: a room imports only from rooms further down. The drawing in README and
 * the floor plan test read this table. Files that lie in src/ itself stand above all.
 */
export const HOUSE: readonly Room[] = [
  { path: "cli", holds: "the `liveq` command; the only room that owns stdout" },
  { path: "cli/serve", holds: "`liveq serve`: its settings, threads, logs, and simulated viewers" },
  { path: "cli/environments", holds: "`liveq train-env`: a module's environment, an agent that fits it, its training" },
  { path: "cli/guessing", holds: "the first rows of a log become a mapping, with the guesses explained" },
  { path: "cli/verdicts", holds: "figures become sentences: better or worse, by how much, and what would help" },
  { path: "cli/compress", holds: "an agent becomes smaller ones, and the best within a loss is chosen" },
  {
    path: "cli/reports",
    holds: "what a command measured as one file of HTML; progress and small pictures for the terminal",
  },
  { path: "cli/origins", holds: "what a run is of: the commit around it, and digests of the files that it reads" },
  { path: "cli/pages", holds: "the pages as files that a browser gets" },
  { path: "playground", holds: "a static page that learns in the browser: control, a live platform, the same bits" },
  { path: "dashboard", holds: "pages of a running server, and the parts that all pages are made of" },
  { path: "cli/asking", holds: "commands that ask a running server" },
  { path: "server", holds: "Request -> Response: slates and events over HTTP, a learner behind them" },
  { path: "server/connect", holds: "platforms that a server follows: polls, webhooks, what they cost when they fail" },
  { path: "server/rank", holds: "actions that a caller gives, ranked by the rewards of earlier ones" },
  { path: "client", holds: "typed client of a server, page tracker" },
  { path: "storage", holds: "the durable log and checkpoints" },
  { path: "examples", holds: "programs of one page, written as by a user of the package; a test runs each" },
  {
    path: "baselines",
    holds: "live policies: random, popular, by context, ItemKNN, factors, EASE, LinUCB, greedy ones",
  },
  { path: "ranking", holds: "items of a finished log: ItemPop, ItemKNN, BPR, EASE, the DQN ranker" },
  { path: "evaluation", holds: "live metrics, replay of logs, returns, off-policy estimates, A/B tests" },
  { path: "simulator", holds: "the generated platform, its viewers, oracles; RecSim's interest evolution" },
  { path: "recommender", holds: "the facade, and five rooms that data takes from the lowest up" },
  { path: "recommender/learning", holds: "pending decisions, reward: how feedback becomes transitions" },
  { path: "recommender/serving", holds: "exploration, slate: who is shown, with what propensity" },
  { path: "recommender/retrieval", holds: "filter, sources, towers: whom to score" },
  {
    path: "recommender/features",
    holds: "one file a group: what it keeps, which events write it, what it writes into a row",
  },
  { path: "recommender/state", holds: "users, streamers, catalogue, rates, vectors, influence: what is known now" },
  { path: "recommender/state/packed", holds: "records as bytes: columns, interned names, slabs, parts of files" },
  { path: "logs", holds: "bytes become events: readers, mappings, data sets, splits; the door of the rooms below" },
  { path: "logs/cleaning", holds: "order, duplicates, impossible values and outliers of events and tables" },
  { path: "logs/connectors", holds: "APIs and push channels of platforms become events" },
  { path: "logs/basics", holds: "the report, items in batches, numbers and times in text" },
  { path: "encoders", holds: "fitted columns, words, content" },
  { path: "exchange", holds: "safetensors, ONNX, TensorBoard" },
  { path: "training", holds: "Environment, train, evaluate, resume, tune; environments" },
  { path: "statistics", holds: "intervals, tallies, inequality, list scores" },
  { path: "engine/compression", holds: "smaller agents: int8, pruned ones, students of a teacher" },
  { path: "engine", holds: "DQN: options, staging, instance, snapshot, weights, threads, module" },
  { path: "protocol", holds: "event, request, decision, Policy; their schema; time" },
  { path: "node", holds: "files of Node: written whole or not at all, followed as they grow" },
  { path: "numeric", holds: "same bits everywhere: functions, random numbers, matrices" },
  { path: "collections", holds: "containers: latest, sorted list, priority queue" },
  { path: "check", holds: "rule tables for options" },
];

/** The drawing of the house: a line a room, those inside another one indented. */
export function drawing(): string {
  const names = HOUSE.map(({ path }) => `${"  ".repeat(path.split("/").length - 1)}${path.split("/").at(-1)}/`);
  const width = Math.max(...names.map((name) => name.length));
  return HOUSE.map(({ holds }, i) => `${names[i]!.padEnd(width)}  ${holds}`).join("\n");
}
