import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { POLICIES } from "../baselines/index.js";
import { type ModelsCommandOptions, models } from "./asking/index.js";
import { type InspectOptions, inspect } from "./commands/data/inspect.js";
import { type MapOptions, map } from "./commands/data/map.js";
import { type PrepareOptions, prepare } from "./commands/data/prepare.js";
import { printSchema, SCHEMA_NAMES, type SchemaName } from "./commands/data/schema.js";
import { SPLITS } from "./commands/data/split.js";
import { type CompareOptions, compare } from "./commands/measure/compare.js";
import { type EvaluateOptions, evaluate } from "./commands/measure/evaluate.js";
import { REPLAYED } from "./commands/measure/replay.js";
import { RUNS_ACTIONS, type RunsOptions, runs } from "./commands/measure/runs.js";
import { type SimulateOptions, simulate } from "./commands/measure/simulate.js";
import { type TuneOptions, tuneOptions } from "./commands/measure/tune.js";
import { type CompressOptions, compress } from "./commands/models/compress.js";
import { type TrainEnvOptions, trainEnv } from "./commands/models/environment.js";
import { type ExportOptions, exportWeights, FORMATS } from "./commands/models/export.js";
import { type HeldOutOptions, learnHeldOut } from "./commands/models/heldout.js";
import { DRAWS, type LearnOptions, learn } from "./commands/models/learn.js";
import { type RecommendOptions, recommend } from "./commands/models/recommend.js";
import { type TrainOptions, train } from "./commands/models/train.js";
import { trainWords, type WordOptions } from "./commands/models/words.js";
import { ENVIRONMENTS } from "./compress/index.js";
import { type DemoOptions, demo } from "./demo/demo.js";
import { type PlaygroundOptions, playground } from "./pages/index.js";
import {
  fractions,
  integer,
  minutesOrNone,
  moment,
  names,
  number,
  percentage,
  times,
  UsageError,
} from "./reading/arguments.js";
import { FORMAT_NAMES } from "./reading/input.js";
import { chooseReading } from "./reading/mapping.js";
import { ORDERS } from "./reading/order.js";
import { recorded, reported, withRegistry, withReport } from "./registry/record.js";
import { flagOf, KEYS, parsedBy, resolved, SETTINGS, serveEdge, variableOf } from "./serve/index.js";
import { EXIT, stop } from "./stop.js";
import { version } from "./writing/results.js";

const EXIT_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C, 143 ended by SIGTERM. Both signals first save the
work done so far; a second one ends the program at once. Data goes to stdout, progress and messages to stderr. A reader
that closes the pipe early (| head) is not a failure.`;

const SEED_MAX = Number.MAX_SAFE_INTEGER;

/** A message about a wrong word in one line: `unknown command 'recomend', did you mean 'recommend'?`. */
function suggesting(text: string): string {
  return text.replace(/\n\(Did you mean (?:one of )?(.+)\?\)/, (_, similar: string) => {
    const words = similar.split(", ").map((word) => `'${word}'`);
    return `, did you mean ${words.join(" or ")}?`;
  });
}

/** Throws the signal's reason if the run is not done. */
function ended(isDone: boolean): void {
  if (!isDone) stop.signal.throwIfAborted();
}

/** The command, its subcommands, and what they do; `main.ts` runs it. */
export const program = new Command("liveq")
  .description("A live-stream recommender that learns online by deep Q-learning in WebAssembly.")
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(suggesting(text)) })
  .configureHelp({ showGlobalOptions: true });

/** A subcommand, with examples at the end of its help. */
function command(name: string, description: string, ...examples: string[]): Command {
  const lines = examples.map((example) => `  liveq ${name} ${example}`);
  return program
    .command(name)
    .description(description)
    .addHelpText("after", `${lines.length > 0 ? `\nExamples:\n${lines.join("\n")}\n` : ""}${EXIT_HELP}`);
}
program.addHelpText("after", EXIT_HELP);

/** A subcommand whose runs go into the registry. */
function registered(name: string, description: string, ...examples: string[]): Command {
  return withRegistry(command(name, description, ...examples));
}

/** Adds the options of generated worlds. */
function withWorlds(own: Command, seeds: number): Command {
  return own
    .option("--viewers <n>", "viewers of a generated platform", integer(1, 100_000), 300)
    .option("--streamers <n>", "streamers of a generated platform", integer(1, 100_000), 500)
    .option("--days <n>", "days to simulate; figures cover the second half", integer(2, 3650), 12)
    .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
    .option("--seeds <n>", "number of worlds, the same for all", integer(2, 1000), seeds)
    .option("--first-seed <n>", "seed of the first world; the next worlds take the next seeds", integer(0, 2 ** 31), 1)
    .option("--jobs <n>", "processes to use (default: one for each core)", integer(1, 1024));
}

/** Adds the options of how policies are judged on a log. */
function withJudging(own: Command): Command {
  return own
    .option("--warmup <file...>", "the log before --events, which every policy processes first", [])
    .option("-k <n>", "length of the ranked list", integer(1, 100_000), 10)
    .option(
      "--negatives <n>",
      "random streams on air to rank the clicked one among; 0 for all",
      integer(0, 1_000_000),
      0,
    )
    .addOption(
      new Option("--target <what>", "the event to predict: any click, or an engaged watch")
        .choices(["click", "engaged"])
        .default("click"),
    )
    .option("--seed <n>", "seed of everything random, of what is judged on a log", integer(0, SEED_MAX), 1)
    .option("--json <file>", "also write the figures as JSON rows, - for stdout");
}

/** Adds the options on what brings viewers back. */
function withReturns(own: Command): Command {
  return own
    .option(
      "--satiation <min>",
      "minutes watched that multiply the gap until a viewer's next session by e; none: watching delays nobody",
      minutesOrNone,
      45,
    )
    .option(
      "--satisfaction-effect <x>",
      "how strongly satisfaction brings viewers back; 0: not at all",
      number(0, 5),
      1,
    )
    .option("--no-newcomers", "leave the places of lost viewers empty, in place of giving them to new ones");
}

withReport(
  withReturns(
    command(
      "demo",
      "serve a generated live platform with four policies and compare them (about a minute)",
      "--seeds 3",
    ),
  ),
)
  .option("--viewers <n>", "viewers", integer(1, 100_000), 300)
  .option("--streamers <n>", "streamers; about 7 % are on air at a time", integer(1, 100_000), 500)
  .option("--days <n>", "days to simulate; figures cover the second half", integer(2, 3650), 12)
  .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
  .option("--seeds <n>", "number of worlds; every policy serves each of them", integer(2, 1000), 6)
  .option("--first-seed <n>", "seed of the first world; the next worlds take the next seeds", integer(0, 2 ** 31), 1)
  .option("--gamma <x>", "discount of the DQN", number(0, 1), 0.9)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(
    reported(async (options: DemoOptions) => {
      if (await demo(options, stop.signal)) return;
      process.stderr.write("the DQN did not beat random and most popular with separate intervals\n");
      process.exitCode = EXIT.failed;
    }),
  );

withReturns(
  registered(
    "simulate",
    "serve a simulated live platform with a policy, write its log, and print the figures",
    "--days 7 --out events.jsonl --decisions decisions.jsonl",
    "--policy popular --schedule broadcasts.csv --out - | liveq inspect -",
    "--ab random,popular --viewers 2000",
  ),
)
  .addOption(
    new Option("--policy <name>", "the policy that chooses the streams")
      .choices(Object.keys(POLICIES))
      .default("random"),
  )
  .addOption(
    new Option("--ab <a,b>", "A/B test of two policies by watch time, each serving half of the viewers")
      .argParser(names(Object.keys(POLICIES)))
      .conflicts("policy"),
  )
  .option("--ab-days <n>", "days after a viewer's first request that --ab counts", integer(1, 3650), 3)
  .option("--out <file>", "write the events, one JSON object a line; - for stdout")
  .option("--decisions <file>", "write the decisions with their propensities, the same way")
  .option("--viewers <n>", "viewers", integer(1, 100_000), 400)
  .option("--streamers <n>", "streamers at the start (default: 600)", integer(1, 100_000))
  .option("--days <n>", "days", integer(1, 3650), 14)
  .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
  .option("--warmup-days <n>", "days at the start that the figures leave out", integer(0, 3649), 0)
  .option("--schedule <csv>", "replay broadcasts (channel, start, length_min, ...) in place of generated ones")
  .option("--gamma <x>", "discount of the policy dqn", number(0, 1), 0.9)
  .option("--seed <n>", "seed of world and policy; the same seed gives the same bytes", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(recorded(async (options: SimulateOptions) => ended(await simulate(options, stop.signal))));

command(
  "prepare",
  "read a log or a data set of any known layout, clean it, report on its quality, and split it",
  "events.jsonl --out data",
  "- --split none --out - < events.jsonl > clean.jsonl",
  "ml-100k --split leave-last-out --out data",
)
  .argument("<input...>", "files, folders, or - for stdin")
  .addOption(new Option("--format <name>", "the layout of the inputs").choices(FORMAT_NAMES).default("auto"))
  .option("--out <dir>", "write train.jsonl, validation.jsonl, test.jsonl and report.json here; - for stdout")
  .addOption(
    new Option("--split <how>", "how to split; folds are of users or of ratings, leave-last-out is for ratings only")
      .choices(SPLITS)
      .default("time"),
  )
  .option("--fractions <list>", "shares of training, validation and test", fractions, [0.8, 0.1, 0.1])
  .option("--folds <n>", "folds, each a folder with train.jsonl and test.jsonl", integer(2, 100), 5)
  .option("--seed <n>", "seed of all random draws", integer(0, SEED_MAX), 1)
  .option("--report <file>", "also write the report here: as JSON, or as HTML if the name ends in .html")
  .option("--json", "print the report as JSON", false)
  .option("--strict", "fail at an unreadable line, instead of counting it", false)
  .option("--from <time>", "drop events before this time: milliseconds since 1970, or ISO 8601", moment)
  .option("--to <time>", "drop events at or after this time", moment)
  .addOption(
    new Option(
      "--order <how>",
      "merge the inputs by time, and sort them if an event is late; always sort; or keep as given",
    )
      .choices(ORDERS)
      .default("auto"),
  )
  .option("--min-kept <share>", "fail if a smaller share of the events could be kept; 0 for any", number(0, 1), 0.5)
  .option("--lateness <s>", "seconds by which an event may be late and still be put in order", number(0, 1e9), 60)
  .addOption(
    new Option("--late <how>", "what to do with later events that are not sorted")
      .choices(["drop", "keep"])
      .default("drop"),
  )
  .addOption(
    new Option(
      "--off-air <how>",
      "what to do with feedback on streams not on air; auto keeps it if the log has no on_air",
    )
      .choices(["auto", "drop", "keep"])
      .default("auto"),
  )
  .addOption(
    new Option("--empty-watch <how>", "what to do with watches of zero length")
      .choices(["drop", "keep"])
      .default("drop"),
  )
  .addOption(
    new Option("--long <how>", "what to do with watches above --watch-max").choices(["clip", "drop"]).default("clip"),
  )
  .option("--watch-max <min>", "longest watch, in minutes", number(0.001, 1e9), 1440)
  .option("--gift-after <s>", "drop gifts within this many seconds after the click", number(0, 1e9), 10)
  .option("--gift-gap <s>", "drop gifts within this many seconds after the previous one", number(0, 1e9), 0)
  .option("--user-limit <n>", "maximum events of a user per window; 0 for no limit", integer(0, SEED_MAX), 0)
  .option(
    "--pair-limit <n>",
    "maximum events of a user on one stream per window; 0 for no limit",
    integer(0, SEED_MAX),
    0,
  )
  .option("--limit-window <s>", "length of that window, in seconds", number(0.001, 1e9), 60)
  .action(
    reported(async (inputs: string[], options: PrepareOptions) => ended(await prepare(inputs, options, stop.signal))),
  );

command(
  "map",
  "look at a log of another platform, and write a mapping by which the other commands read it, with guesses explained",
  "export.csv --out map.json",
  "- < export.jsonl > map.json",
)
  .argument("<file>", "the log: CSV, TSV or JSON lines; - for stdin")
  .option("--out <file>", "write the mapping here; - for stdout", "-")
  .action((file: string, options: MapOptions) => map(file, options, stop.signal));

registered(
  "train",
  "train a recommender from the log of another policy or of none, a ranker on MovieLens-100K, or word vectors; write the model",
  "--events data/train.jsonl --decisions decisions.jsonl --model live.liveq",
  "--events events.jsonl --follow --model live.liveq",
  "--events purchases.jsonl --catalogue --model shop.liveq",
  "--titles data/train.jsonl --model words.json",
  "--events data/train.jsonl --words words.json --model live.liveq",
  "--movielens ml-100k --model films.liveq",
)
  .option("--events <file...>", "the log, in order of time; - for stdin")
  .option(
    "--decisions <file...>",
    "decisions of the logging policy (default: from impressions, or drawn from what was on air)",
  )
  .option("--catalogue", "nothing goes off air, as in shops (default: by on_air, or by what users enter)")
  .option(
    "--negatives <n>",
    "streams drawn for each visit, in a log without impressions (default: 8)",
    integer(1, 1000),
  )
  .option("--movielens <dir>", "the folder with u.data, u.item and u.user")
  .option("--titles <file...>", "train word vectors on the titles and tags of this log; - for stdin")
  .option("--words <file>", "with --events: word vectors, to compare titles with the titles that a user watched")
  .option("--model <file>", "write the model here; - for stdout", "model.liveq")
  .addOption(
    new Option("--draw <whom>", "equal weight for every user (reads the log twice) or for every event")
      .choices(DRAWS)
      .default("events"),
  )
  .option("--resume", "continue from the file of --model, with the same log and --draw", false)
  .option("--follow", "keep reading JSON lines appended to the file of --events, until Ctrl-C", false)
  .option(
    "--save-every <s>",
    "also write the model every so many seconds (default with --follow: 300)",
    number(0.001, 1e9),
  )
  .option("--gamma <x>", "discount of a user's next request, with --events", number(0, 1), 0.9)
  .option("--cql-alpha <x>", "weight of the conservative term, with --events (default: 0.3)", number(0, 1000))
  .option(
    "--clone-updates <n>",
    "updates at the start that imitate the logging policy, with --events (default: 0)",
    integer(0, 1e9),
  )
  .option(
    "--options <file>",
    "JSON with options of the recommender or ranker, as liveq tune writes it; they win over the others",
  )
  .option("--epochs <n>", "passes over the users; for a log, factor of the updates for each visit", integer(1, 1000), 1)
  .option(
    "--hold-out <share>",
    "hold out the end of the log of --events: passes stop when its figure rises no more, and the best weights stay",
    number(0.001, 0.9),
  )
  .option("--passes <n>", "most passes over the log, with --hold-out", integer(1, 1000), 5)
  .option("--seed <n>", "seed of everything random", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(
    recorded(async ({ events, movielens, titles, ...options }: Partial<TrainOptions & LearnOptions & WordOptions>) => {
      if ([events, movielens, titles].filter((given) => given !== undefined).length !== 1) {
        throw new UsageError("one of '--events <file...>', '--movielens <dir>' and '--titles <file...>' must be given");
      }
      const common = options as TrainOptions & LearnOptions & HeldOutOptions;
      const { resume, decisions, words, draw, follow, saveEvery, cqlAlpha, cloneUpdates, catalogue, negatives } =
        common;
      const isTaught = cqlAlpha || cloneUpdates || catalogue || negatives;
      const isOfLog = resume || decisions || words || draw === "users" || follow || saveEvery || isTaught;
      if (events === undefined && isOfLog) {
        const own =
          "'--resume', '--decisions', '--words', '--cql-alpha', '--clone-updates', '--catalogue', '--negatives'";
        const those = `${own}, '--draw users', '--follow' and '--save-every'`;
        throw new UsageError(`${those} go with '--events'`);
      }
      if (titles && common.options !== undefined)
        throw new UsageError("'--options' goes with '--events' and '--movielens'");
      if (resume && common.options !== undefined)
        throw new UsageError("'--options' goes with a new model, which keeps them");
      if (resume && words) throw new UsageError("'--words' goes with a new model, which keeps them");
      if (common.holdOut !== undefined && events === undefined)
        throw new UsageError("'--hold-out' goes with '--events'");
      if (events && common.holdOut !== undefined) await learnHeldOut({ ...common, events }, stop.signal);
      else if (events) ended(await learn({ ...common, events }, stop.signal));
      else if (titles) ended(await trainWords({ ...common, titles }, stop.signal));
      else ended(await train({ ...common, movielens: movielens! }, stop.signal));
    }),
  );

registered(
  "train-env",
  "train an agent in an environment of your own: a module whose default export is a class, or an object",
  "./environment.mjs --steps 50000 --evaluate-every 5000",
  "./environment.mjs --set hidden=[128,128] learningRate=1e-3 --tensorboard runs",
  "./environment.mjs --steps 100000 --resume",
  "./environment.mjs --actors 4",
)
  .argument("<file>", "the module: JavaScript, or TypeScript where Node reads it")
  .option("--steps <n>", "steps in all, those of --resume included", integer(1, SEED_MAX), 50_000)
  .option("--options <file>", "JSON with options of the agent: DQN, or ContinuousAgent where actions are numbers")
  .option("--set <name=value...>", "options of the agent, which win over the file's", [])
  .option("--environments <n>", "environments that take turns, a step each", integer(1, 65_536), 1)
  .option("--actors <n>", "threads that act, each in an environment of its own; 0: none", integer(0, 1024), 0)
  .option(
    "--evaluate-every <n>",
    "steps between two evaluations, whose best weights are kept; 0: none",
    integer(0, SEED_MAX),
    0,
  )
  .option("--episodes <n>", "greedy episodes of an evaluation", integer(1, 1_000_000), 10)
  .option("--stop-at <x>", "mean return of an evaluation that ends the training", number(-1e300, 1e300))
  .option("--patience <n>", "evaluations without a better one that end the training", integer(1, 1_000_000))
  .option("--model <file>", "write the agent here", "agent.liveq")
  .option("--checkpoints <dir>", "the folder of checkpoints (default: the name of --model with .checkpoints)")
  .option("--checkpoint-every <n>", "steps between two; Ctrl-C writes one too", integer(1, SEED_MAX), 10_000)
  .option("--keep <n>", "the newest checkpoints to keep", integer(1, 10_000), 3)
  .option("--resume", "continue from the newest checkpoint, to the bit", false)
  .option("--tensorboard <dir>", "write scalars for TensorBoard here")
  .option("--no-check", "train also where the environment breaks its interface")
  .option("--seed <n>", "seed of the agent and of the episodes", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(
    recorded(async (file: string, options: TrainEnvOptions) => {
      if (options.actors > 0 && options.resume) throw new UsageError("'--resume' goes without '--actors'");
      ended(await trainEnv(file, options, stop.signal));
    }),
  );

withJudging(
  registered(
    "evaluate",
    "measure how well policies and models predict clicks, or estimate their rewards from another policy's log",
    "--warmup data/train.jsonl data/validation.jsonl --events data/test.jsonl --model live.liveq",
    "--events data/test.jsonl --policies popular,random,itemknn",
    "--events data/test.jsonl --decisions decisions.jsonl --policies popular --reward watch",
    "--movielens ml-100k --model films.liveq",
    "--bandit open-bandit/random/men --other open-bandit/bts/men",
  ),
)
  .option("--events <file...>", "the log to evaluate on; - for stdin")
  .option(
    "--policies <list>",
    `of: ${REPLAYED.join(", ")} (default: popular, without a model also random)`,
    names(REPLAYED),
  )
  .option("--model <file...>", "recommenders from liveq train; with --movielens, a ranker", [])
  .option(
    "--decisions <file...>",
    "decisions of another policy with their propensities, to estimate rewards off-policy",
  )
  .addOption(
    new Option("--reward <what>", "the reward to estimate, with --decisions (default: click)").choices([
      "click",
      "watch",
    ]),
  )
  .option("--clip <x>", "upper bound of importance weights, with --decisions (default: 1000000)", number(0.001, 1e6))
  .option(
    "--min-ess <x>",
    "effective number of decisions below which estimates with weights are refused, with --decisions (default: 50)",
    number(0, 1e9),
  )
  .option("--movielens <dir>", "rank each user's last item in this folder instead")
  .option(
    "--bandit <file...>",
    "estimate what policies would earn from logged choices with probabilities (Open Bandit)",
  )
  .option("--other <file...>", "with --bandit: the log of another policy, whose value to estimate")
  .action(recorded(async (options: EvaluateOptions) => ended(await evaluate(options, stop.signal))));

withJudging(
  withWorlds(
    registered(
      "compare",
      "compare models, baselines and options with the first of them, on a log or in generated worlds",
      "live.liveq popular itemknn --events data/test.jsonl --warmup data/train.jsonl data/validation.jsonl",
      "dqn popular random tuned.json --simulate --seeds 8",
    ),
    6,
  ),
)
  .argument("<contestants...>", "names of policies; with --events models, with --simulate files of options (.json)")
  .option("--events <file...>", "compare on this log; - for stdin")
  .option("--simulate", "compare in generated worlds", false)
  .action(
    recorded(async (names: string[], options: CompareOptions) => ended(await compare(names, options, stop.signal))),
  );

withWorlds(
  registered(
    "tune",
    "look for the best options of a recommender or ranker, check them on what no trial has seen, and write them",
    "--events data/train.jsonl --decisions decisions.jsonl --out tuned.json",
    "--simulate --search halving --trials 27 --minutes 60",
    "--movielens ml-100k --space space.json",
  ),
  4,
)
  .option("--events <file...>", "tune on this log, in order of time")
  .option("--decisions <file...>", "decisions of the logging policy (default: reconstructed from impressions)")
  .option("--movielens <dir>", "tune the ranker on the folder with u.data, u.item and u.user")
  .option("--simulate", "tune in generated worlds", false)
  .option(
    "--space <file>",
    'JSON: by name of an option, such as "learner.batchSize", a list of values or { min, max, log, integer }',
  )
  .addOption(
    new Option("--search <how>", "random options, all of a grid, or halving: many options on little, the best on more")
      .choices(["random", "grid", "halving"])
      .default("random"),
  )
  .option("--trials <n>", "options to try, the defaults among them (default: 16, of a grid all)", integer(1, 100_000))
  .option("--steps <n>", "with grid: numbers of each range", integer(1, 1000), 4)
  .option("--eta <n>", "with halving: one in so many options goes on, with so many times the budget", integer(2, 16), 3)
  .option("--rungs <n>", "with halving: number of budgets", integer(1, 10), 3)
  .option("--minutes <n>", "begin no further trial after this time", number(0.001, 1e6))
  .option("-k <n>", "length of the ranked list", integer(1, 100_000), 10)
  .option("--seed <n>", "seed of the options that are tried, and of the learners", integer(0, SEED_MAX), 1)
  .option("--out <file>", "write the best options here; trials are kept beside it in .trials.jsonl", "tuned.json")
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(recorded(async (options: TuneOptions) => ended(await tuneOptions(options, stop.signal))));

command(
  "runs",
  "list the runs in the registry, show one, or compare two: options that differ, figures side by side",
  "--command evaluate",
  "show last",
  "compare 3f2a 91bc",
)
  .addArgument(new Argument("[action]", "what to do").choices(RUNS_ACTIONS).default("list"))
  .argument("[ids...]", "beginnings of ids, or last")
  .option("--runs <file>", "the registry (default: $LIVEQ_RUNS or liveq-runs.jsonl)")
  .option("--command <name>", "list only the runs of this command")
  .option("--limit <n>", "list the last so many", integer(1, 1_000_000), 30)
  .option("--json", "print JSON", false)
  .action((action: (typeof RUNS_ACTIONS)[number], ids: string[], options: RunsOptions) => runs(action, ids, options));

command(
  "recommend",
  "print a model's recommendations for a user: streams on air, or films",
  "--model live.liveq --user anybody -k 5",
  "--model live.liveq --user v7 --events today.jsonl --now 2026-06-30T20:00:00Z --json",
  "--model live.liveq --user v7 -k 5 --explain",
)
  .requiredOption("--model <file>", "a model from liveq train; - for stdin")
  .requiredOption("--user <id>", "the user's id in the training data; a live recommender accepts any id")
  .option("-k <n>", "number of recommendations", integer(1, 100_000), 10)
  .option(
    "--now <time>",
    "time of the request: milliseconds since 1970, or ISO 8601 (default: time of the last event)",
    moment,
  )
  .option("--events <file...>", "later events to process first; the model's file does not change", [])
  .option("--explain", "also print why each stream is shown, what would change that, and the runners-up", false)
  .option(
    "--json",
    "print JSON: [{ stream, score, propensity }], or [{ title, score }]; with --explain { streams, runnersUp }",
    false,
  )
  .action((options: RecommendOptions) => recommend(options, stop.signal));

command(
  "inspect",
  "print the contents of a file: an agent, a model, a recommender, any safetensors, or events and their quality",
  "live.liveq",
  "events.jsonl --json",
)
  .argument("<file>", "the file, which is checked completely; - for stdin")
  .option("--json", "print JSON", false)
  .action((file: string, options: InspectOptions) => inspect(file, options, stop.signal));

command(
  "export",
  "write the network of an agent, or of a model's agent, for other tools: PyTorch, ONNX runtimes",
  "agent.liveq --format onnx --out agent.onnx",
  "live.liveq --format safetensors --out live.safetensors",
)
  .argument("<file>", "a file of agent.save(), or a model from liveq train; - for stdin")
  .addOption(new Option("--format <name>", "format of the output").choices(FORMATS).makeOptionMandatory())
  .requiredOption("--out <file>", "write the output here; - for stdout")
  .action((file: string, options: ExportOptions) => exportWeights(file, options));

registered(
  "compress",
  "make an agent smaller: rounded to 8 bits, pruned, or a student of it; write the best within a loss",
  "agent.liveq --target 4x --environment CartPole-v1 --out small.liveq",
  "agent.liveq --target 8x --loss 5% --states states.jsonl --out small.liveq",
)
  .argument("<file>", "a file of agent.save(), or of a training; - for stdin")
  .option("--target <times>", "how many times smaller its network shall be", times, 4)
  .option("--loss <share>", "the most that may be lost: of the return, or of --states of the actions", percentage, 0.02)
  .addOption(new Option("--environment <name>", "where it acts: states and returns").choices(Object.keys(ENVIRONMENTS)))
  .option(
    "--states <file>",
    'states in which it acts, a line of JSON each: { "observation": [...], "available": [...] }',
  )
  .option("--count <n>", "states to measure and learn on", integer(10, 1_000_000), 4000)
  .option("--episodes <n>", "episodes by which the return is judged", integer(2, 100_000), 50)
  .option("--updates <n>", "the most updates of each way that learns", integer(1, 1e7), 20_000)
  .option("--seed <n>", "seed of everything random", integer(0, SEED_MAX), 1)
  .requiredOption("--out <file>", "write the smaller agent here; - for stdout")
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(
    recorded(async (file: string, options: CompressOptions) => ended(await compress(file, options, stop.signal))),
  );

const serve = command(
  "serve",
  "serve slates and take events over HTTP, and learn from each",
  "",
  "--simulate",
  "--dir /var/lib/liveq --host 0.0.0.0 --token 0123456789abcdef0123",
  "--token site-0123456789abcdef=recommend,events --token ops-0123456789abcdef=read,admin",
  "--config liveq.json --print-config",
  "--connect owncast=https://live.example.org peertube=https://video.example.org",
)
  .addHelpText(
    "after",
    `\nEach option is also a variable, ${variableOf("port")}, and a key of --config, port: flags count first, then these.`,
  )
  .option("--config <file>", "settings as JSON, by the names that --print-config shows (default: LIVEQ_CONFIG)")
  .option("--print-config", "print the settings that hold, and where each comes from, and do not serve", false);
for (const key of KEYS) {
  const setting = SETTINGS[key];
  const option = new Option(`${flagOf(key)} ${setting.shown}`, setting.about);
  const [holds, must] = setting.rule;
  if (setting.preset !== undefined) option.default(setting.preset);
  if (setting.kind !== "list") {
    option.argParser((text) => {
      const value = parsedBy(setting, text);
      if (!holds(value)) throw new InvalidArgumentError(`It must be ${must}.`);
      return value;
    });
  }
  serve.addOption(option);
}
serve.action(
  ({ config, printConfig, ...given }: { config?: string; printConfig: boolean } & Record<string, unknown>) => {
    const flags = Object.entries(given).filter(([key]) => serve.getOptionValueSource(key) === "cli");
    const settings = resolved(Object.fromEntries(flags), process.env, config);
    const print = (text: string) => process.stdout.write(text);
    return serveEdge(settings, { isPrinted: printConfig, print, signal: stop.signal });
  },
);

command(
  "models",
  "list the models of a running server, go back to one, or let the newest answer again",
  "",
  "--rollback",
  "--rollback 12",
  "--release",
)
  .option("--url <url>", "where the server is", "http://127.0.0.1:8787")
  .option("--token <secret>", "a token with the scope read, and admin to change (default: LIVEQ_TOKEN)")
  .addOption(
    new Option("--rollback [version]", "go back to a model, the one before by default, and stay there").argParser(
      integer(0, SEED_MAX),
    ),
  )
  .addOption(new Option("--release", "let the newest model answer again").default(false).conflicts("rollback"))
  .action((options: ModelsCommandOptions) => {
    const token = options.token ?? process.env["LIVEQ_TOKEN"]?.replace(/=[a-z,]+$/, "");
    return models({ ...options, ...(token !== undefined && { token }) }, (line) => process.stdout.write(`${line}\n`));
  });

command("playground", "serve a page that learns in the browser", "", "--port 0")
  .option("--host <address>", "the address to listen on", "127.0.0.1")
  .option("--port <n>", "the port; 0 takes a free one", integer(0, 65_535), 8788)
  .action((options: PlaygroundOptions) => playground(options, stop.signal));

command(
  "schema",
  "print JSON Schema (draft 2020-12) of events, requests and decisions",
  "> liveq.schema.json",
  "events > events.schema.json",
)
  .addArgument(new Argument("[name]", "a single schema (default: all three, under $defs)").choices(SCHEMA_NAMES))
  .action((name: SchemaName | undefined) => printSchema(name));

const unknown = new Option(
  "--unknown <how>",
  "fields that events do not have: leave them out and count them, or refuse",
);
/** The commands that read logs of events; all take the same options on how. */
for (const reading of ["prepare", "train", "evaluate", "recommend", "inspect"]) {
  program.commands
    .find((own) => own.name() === reading)!
    .addOption(
      new Option(
        "--map <file>",
        "read events by this mapping, as liveq map writes it: CSV, TSV or JSON lines",
      ).conflicts("format"),
    )
    .addOption(unknown.choices(["ignore", "refuse"]).default("ignore"))
    .hook("preAction", (own) => chooseReading(own.opts()["map"], own.opts()["unknown"]));
}
