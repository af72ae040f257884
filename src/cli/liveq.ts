#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type DemoOptions, demo } from "./demo.js";
import { type ExportOptions, exportWeights, FORMATS } from "./export.js";
import { type InspectOptions, inspect } from "./inspect.js";
import { type RecommendOptions, recommend } from "./recommend.js";
import { version } from "./results.js";
import { type TrainOptions, train } from "./train.js";

/** What the command's exit code means. */
const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A parser for a whole number in [low, high]. */
function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`It must be an integer in [${low}, ${high}].`);
    }
    return value;
  };
}

/** A parser for a number in [low, high]. */
function number(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= low && value <= high)) throw new InvalidArgumentError(`It must be in [${low}, ${high}].`);
    return value;
  };
}

const interrupt = new AbortController();
process.once("SIGINT", () => {
  interrupt.abort(new CommanderError(EXIT.interrupted, "liveq.interrupted", "interrupted"));
});

const program = new Command("liveq")
  .description("A live-stream recommender that learns online by deep Q-learning in WebAssembly.")
  .version(version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (train then keeps what it learned).",
  );

program
  .command("demo", { isDefault: true })
  .description("serve a generated live platform with four policies and compare them (about a minute)")
  .option("--viewers <n>", "viewers", integer(1, 100_000), 300)
  .option("--streamers <n>", "streamers; about 7 % are on air at a time", integer(1, 100_000), 500)
  .option("--days <n>", "days; the second half counts", integer(2, 3650), 12)
  .option("--slate <n>", "streams shown at each request", integer(1, 100), 6)
  .option("--seeds <n>", "worlds that every policy meets", integer(2, 1000), 6)
  .option("--first-seed <n>", "seed of the first world; the others follow", integer(0, 2 ** 31), 1)
  .option("--gamma <x>", "discount of the DQN", number(0, 1), 0.9)
  .option("--json <file>", "also write the figures as JSON rows")
  .action(async (options: DemoOptions) => {
    if (!(await demo(options, interrupt.signal))) {
      process.stderr.write("the DQN did not beat random and most popular with separate intervals\n");
      process.exitCode = EXIT.failed;
    }
  });

program
  .command("train")
  .description("train a ranker on MovieLens-100K, write the model, and print how it ranks each user's last item")
  .requiredOption("--movielens <dir>", "the folder with u.data, u.item and u.user")
  .option("--model <file>", "where the model goes", "model.liveq")
  .option("--epochs <n>", "passes over the users", integer(1, 1000), 1)
  .option("--seed <n>", "of everything random", integer(0, Number.MAX_SAFE_INTEGER), 1)
  .option("--json <file>", "also write the figures as JSON rows")
  .action(async (options: TrainOptions) => {
    if (!(await train(options, interrupt.signal))) interrupt.signal.throwIfAborted();
  });

program
  .command("recommend")
  .description("print what a model recommends to a user")
  .requiredOption("--model <file>", "a model that liveq train wrote")
  .requiredOption("--user <id>", "the user's id in the data that it was trained on")
  .option("-k <n>", "how many items", integer(1, 100_000), 10)
  .option("--json", "print JSON: [{ title, score }]", false)
  .action((options: RecommendOptions) => recommend(options));

program
  .command("inspect")
  .description("print what a file holds: an agent, a model, a recommender, or any safetensors")
  .argument("<file>", "the file, all of which is checked")
  .option("--json", "print JSON", false)
  .action((file: string, options: InspectOptions) => inspect(file, options));

program
  .command("export")
  .description("write an agent's network for other tools: PyTorch, ONNX runtimes")
  .argument("<file>", "a file that agent.save() gave")
  .addOption(new Option("--format <name>", "what to write").choices(FORMATS).makeOptionMandatory())
  .requiredOption("--out <file>", "where it goes")
  .action((file: string, options: ExportOptions) => exportWeights(file, options));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.exitCode === EXIT.interrupted) process.stderr.write("\ninterrupted\n");
    process.exitCode = error.exitCode === EXIT.failed ? EXIT.usage : error.exitCode;
  } else {
    process.stderr.write(`liveq: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
