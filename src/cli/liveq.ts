import { Argument, Command, Option } from "commander";
import { POLICIES } from "../baselines/index.js";
import { type EvaluateOptions, evaluate, REPLAYED } from "./commands/evaluate.js";
import { type ExportOptions, exportWeights, FORMATS } from "./commands/export.js";
import { type InspectOptions, inspect } from "./commands/inspect.js";
import { DRAWS, type LearnOptions, learn } from "./commands/learn.js";
import { type PrepareOptions, prepare } from "./commands/prepare.js";
import { type RecommendOptions, recommend } from "./commands/recommend.js";
import { printSchema, SCHEMA_NAMES, type SchemaName } from "./commands/schema.js";
import { type SimulateOptions, simulate } from "./commands/simulate.js";
import { SPLITS } from "./commands/split.js";
import { type TrainOptions, train } from "./commands/train.js";
import { trainWords, type WordOptions } from "./commands/words.js";
import { type DemoOptions, demo } from "./demo/demo.js";
import { fractions, integer, moment, names, number, UsageError } from "./reading/arguments.js";
import { FORMAT_NAMES } from "./reading/input.js";
import { EXIT, stop } from "./stop.js";
import { version } from "./writing/results.js";

const EXIT_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C, 143 ended by SIGTERM; both first save what there
is (a second one does not wait). Data goes to stdout, progress and messages to stderr; a reader who leaves early (| head)
is no failure.`;

const SEED_MAX = Number.MAX_SAFE_INTEGER;

/** Ends with the signal's exit code where a run was not done. */
function ended(isDone: boolean): void {
  if (!isDone) stop.signal.throwIfAborted();
}

/** The command, its subcommands, and what they do; `main.ts` runs it. */
export const program = new Command("liveq")
  .description("A live-stream recommender that learns online by deep Q-learning in WebAssembly.")
  .version(version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

/** A subcommand, with examples at the end of its help. */
function command(name: string, description: string, ...examples: string[]): Command {
  const lines = examples.map((example) => `  liveq ${name} ${example}`);
  return program
    .command(name, { isDefault: name === "demo" })
    .description(description)
    .addHelpText("after", `${lines.length > 0 ? `\nExamples:\n${lines.join("\n")}\n` : ""}${EXIT_HELP}`);
}
program.addHelpText("after", EXIT_HELP);

command("demo", "serve a generated live platform with four policies and compare them (about a minute)", "--seeds 3")
  .option("--viewers <n>", "viewers", integer(1, 100_000), 300)
  .option("--streamers <n>", "streamers; about 7 % are on air at a time", integer(1, 100_000), 500)
  .option("--days <n>", "days; the second half counts", integer(2, 3650), 12)
  .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
  .option("--seeds <n>", "worlds that every policy meets", integer(2, 1000), 6)
  .option("--first-seed <n>", "seed of the first world; the others follow", integer(0, 2 ** 31), 1)
  .option("--gamma <x>", "discount of the DQN", number(0, 1), 0.9)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(async (options: DemoOptions) => {
    if (!(await demo(options, stop.signal))) {
      process.stderr.write("the DQN did not beat random and most popular with separate intervals\n");
      process.exitCode = EXIT.failed;
    }
  });

command(
  "simulate",
  "serve a simulated live platform with a policy, write the log, and print what came of it",
  "--days 7 --out events.jsonl --decisions decisions.jsonl",
  "--policy popular --schedule broadcasts.csv --out - | liveq inspect -",
  "--ab random,popular --viewers 2000",
)
  .addOption(
    new Option("--policy <name>", "who decides what is shown").choices(Object.keys(POLICIES)).default("random"),
  )
  .addOption(
    new Option("--ab <a,b>", "two policies that serve a half of the viewers each, and which is watched longer")
      .argParser(names(Object.keys(POLICIES)))
      .conflicts("policy"),
  )
  .option("--ab-days <n>", "days since a viewer's first request that count for that", integer(1, 3650), 3)
  .option("--out <file>", "write the events, one JSON object a line; - for stdout")
  .option("--decisions <file>", "write the decisions with their propensities, the same way")
  .option("--viewers <n>", "viewers", integer(1, 100_000), 400)
  .option("--streamers <n>", "streamers at the start (default: 600)", integer(1, 100_000))
  .option("--days <n>", "days", integer(1, 3650), 14)
  .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
  .option("--warmup-days <n>", "days at the start that the figures leave out", integer(0, 3649), 0)
  .option("--schedule <csv>", "replay broadcasts (channel, start, length_min, ...) in place of generated ones")
  .option("--gamma <x>", "discount of the policy dqn", number(0, 1), 0.9)
  .option("--seed <n>", "of world and policy; the same seed gives the same bytes", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(async (options: SimulateOptions) => ended(await simulate(options, stop.signal)));

command(
  "prepare",
  "read a log or a data set of any layout, clean it, report on its quality, and split it",
  "events.jsonl --out data",
  "- --split none --out - < events.jsonl > clean.jsonl",
  "ml-100k --split leave-last-out --out data",
)
  .argument("<input...>", "files, folders, or - for stdin")
  .addOption(new Option("--format <name>", "the layout of the inputs").choices(FORMAT_NAMES).default("auto"))
  .option("--out <dir>", "write train.jsonl, validation.jsonl, test.jsonl and report.json here; - for stdout")
  .addOption(
    new Option("--split <how>", "folds: of users, or of ratings; leave-last-out: ratings only")
      .choices(SPLITS)
      .default("time"),
  )
  .option("--fractions <list>", "shares of training, validation and test", fractions, [0.8, 0.1, 0.1])
  .option("--folds <n>", "folds, each a folder with train.jsonl and test.jsonl", integer(2, 100), 5)
  .option("--seed <n>", "of what is drawn at random", integer(0, SEED_MAX), 1)
  .option("--report <file>", "also write the report as JSON here")
  .option("--json", "print the report as JSON", false)
  .option("--strict", "end with an error at a line that cannot be read, which else is counted", false)
  .option("--from <time>", "drop what is before: milliseconds, or ISO 8601", moment)
  .option("--to <time>", "drop what is not before this", moment)
  .option("--lateness <s>", "seconds that an event may be late and still be put in its place", number(0, 1e9), 60)
  .addOption(new Option("--late <how>", "what comes later still").choices(["drop", "keep"]).default("drop"))
  .addOption(
    new Option("--off-air <how>", "feedback on streams not on air; keep it where a log has no on_air")
      .choices(["drop", "keep"])
      .default("drop"),
  )
  .addOption(new Option("--empty-watch <how>", "watches of no time").choices(["drop", "keep"]).default("drop"))
  .addOption(new Option("--long <how>", "watches that are too long").choices(["clip", "drop"]).default("clip"))
  .option("--watch-max <min>", "the longest watch, minutes", number(0.001, 1e9), 1440)
  .option("--gift-after <s>", "drop gifts sooner after the click", number(0, 1e9), 10)
  .option("--gift-gap <s>", "drop gifts sooner after the last", number(0, 1e9), 1)
  .option("--user-limit <n>", "the most events of a user in the window; 0 for any number", integer(0, SEED_MAX), 0)
  .option("--pair-limit <n>", "the same of a user on one stream", integer(0, SEED_MAX), 0)
  .option("--limit-window <s>", "seconds of the window of both limits", number(0.001, 1e9), 60)
  .action(async (inputs: string[], options: PrepareOptions) => ended(await prepare(inputs, options, stop.signal)));

command(
  "train",
  "train a recommender from the log of another policy, a ranker on MovieLens-100K, or word vectors; write the model",
  "--events data/train.jsonl --decisions decisions.jsonl --model live.liveq",
  "--events events.jsonl --follow --model live.liveq",
  "--titles data/train.jsonl --model words.json",
  "--events data/train.jsonl --words words.json --model live.liveq",
  "--movielens ml-100k --model films.liveq",
)
  .option("--events <file...>", "the log, in order of time; - for stdin")
  .option("--decisions <file...>", "what was decided; else taken from impressions that name the same decision")
  .option("--movielens <dir>", "the folder with u.data, u.item and u.user")
  .option("--titles <file...>", "a log whose titles and tags word vectors are trained on; - for stdin")
  .option("--words <file>", "with --events: word vectors, for an input of how alike titles are to those watched")
  .option("--model <file>", "where the model goes", "model.liveq")
  .addOption(
    new Option(
      "--draw <whom>",
      "of a log: users, none counts more than another, it is read twice; events, those who come most count most",
    )
      .choices(DRAWS)
      .default("events"),
  )
  .option("--resume", "go on from the model of --model, written at Ctrl-C, with the same log and --draw", false)
  .option("--follow", "wait for what is added to the file of --events, JSON lines, until Ctrl-C", false)
  .option("--save-every <s>", "write the model every so many seconds too (with --follow: 300)", number(0.001, 1e9))
  .option("--gamma <x>", "discount of a user's next request, with --events", number(0, 1), 0.9)
  .option(
    "--epochs <n>",
    "passes over the users; of a log, how often as many updates for each visit",
    integer(1, 1000),
    1,
  )
  .option("--seed <n>", "of everything random", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(async ({ events, movielens, titles, ...options }: Partial<TrainOptions & LearnOptions & WordOptions>) => {
    if ([events, movielens, titles].filter((given) => given !== undefined).length !== 1) {
      throw new UsageError("one of '--events <file...>', '--movielens <dir>' and '--titles <file...>' must be given");
    }
    const common = options as TrainOptions & LearnOptions;
    const { resume, decisions, words, draw, follow, saveEvery } = common;
    if (events === undefined && (resume || decisions || words || draw === "users" || follow || saveEvery)) {
      const those = "'--resume', '--decisions', '--words', '--draw users', '--follow' and '--save-every'";
      throw new UsageError(`${those} go with '--events'`);
    }
    if (resume && words) throw new UsageError("'--words' goes with a new model, which keeps them");
    if (events) ended(await learn({ ...common, events }, stop.signal));
    else if (titles) ended(await trainWords({ ...common, titles }, stop.signal));
    else ended(await train({ ...common, movielens: movielens! }, stop.signal));
  });

command(
  "evaluate",
  "print how well policies and models foresee what users click, or what they would have earned in another's place",
  "--warmup data/train.jsonl data/validation.jsonl --events data/test.jsonl --model live.liveq",
  "--events data/test.jsonl --policies popular,random,itemknn",
  "--events data/test.jsonl --decisions decisions.jsonl --policies popular --reward watch",
  "--movielens ml-100k --model films.liveq",
)
  .option("--events <file...>", "the log that is judged on")
  .option("--warmup <file...>", "the log before it, which policies and catalogue hear first", [])
  .option(
    "--policies <list>",
    `of: ${REPLAYED.join(", ")} (default: popular, without a model also random)`,
    names(REPLAYED),
  )
  .option("--model <file...>", "recommenders that liveq train wrote; with --movielens, a ranker", [])
  .option(
    "--decisions <file...>",
    "what another policy decided, with its propensities: estimates what these would earn",
  )
  .addOption(
    new Option("--reward <what>", "what is earned, with --decisions (default: click)").choices(["click", "watch"]),
  )
  .option("--clip <x>", "cut the weights of decisions here (default: at 1000000)", number(0.001, 1e6))
  .option("--movielens <dir>", "rank each user's last item in this folder instead")
  .option("-k <n>", "length of the list that clicks are foreseen in", integer(1, 100_000), 10)
  .option("--negatives <n>", "others on air to rank among, for clicks; 0 for all", integer(0, 1_000_000), 0)
  .addOption(
    new Option("--target <what>", "the right answer, for clicks").choices(["click", "engaged"]).default("click"),
  )
  .option("--seed <n>", "of everything random", integer(0, SEED_MAX), 1)
  .option("--json <file>", "also write the figures as JSON rows, - for stdout")
  .action(async (options: EvaluateOptions) => ended(await evaluate(options, stop.signal)));

command(
  "recommend",
  "print what a model recommends to a user: streams on air, or films",
  "--model live.liveq --user anybody -k 5",
  "--model live.liveq --user v7 --events today.jsonl --now 2026-06-30T20:00:00Z --json",
)
  .requiredOption("--model <file>", "a model that liveq train wrote")
  .requiredOption("--user <id>", "the user's id in the data that it was trained on; a live recommender takes any")
  .option("-k <n>", "how many", integer(1, 100_000), 10)
  .option("--now <time>", "when: milliseconds, or ISO 8601 (default: the time of the last event)", moment)
  .option("--events <file...>", "what happened since it was trained; the model's file stays as it is", [])
  .option("--json", "print JSON: [{ stream, score, propensity }], or [{ title, score }]", false)
  .action((options: RecommendOptions) => recommend(options, stop.signal));

command(
  "inspect",
  "print what a file holds: an agent, a model, a recommender, any safetensors, or events and their quality",
  "live.liveq",
  "events.jsonl --json",
)
  .argument("<file>", "the file, all of which is checked; - for events from stdin")
  .option("--json", "print JSON", false)
  .action((file: string, options: InspectOptions) => inspect(file, options, stop.signal));

command(
  "export",
  "write an agent's network for other tools: PyTorch, ONNX runtimes",
  "agent.liveq --format onnx --out agent.onnx",
)
  .argument("<file>", "a file that agent.save() gave")
  .addOption(new Option("--format <name>", "what to write").choices(FORMATS).makeOptionMandatory())
  .requiredOption("--out <file>", "where it goes")
  .action((file: string, options: ExportOptions) => exportWeights(file, options));

command(
  "schema",
  "print JSON Schema (draft 2020-12) of events, requests and decisions",
  "> liveq.schema.json",
  "events > events.schema.json",
)
  .addArgument(new Argument("[name]", "one of them alone (default: all three, under $defs)").choices(SCHEMA_NAMES))
  .action((name: SchemaName | undefined) => printSchema(name));
