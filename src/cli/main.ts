#!/usr/bin/env node
import { CommanderError } from "commander";
import { program } from "./liveq.js";
import { UsageError } from "./reading/arguments.js";
import { SettingError } from "./serve/index.js";
import { EXIT, listen, SIGNALS, Stopped } from "./stop.js";

/** Prints an error and returns the exit code. */
function codeOf(error: unknown): number {
  // Commander has already printed the message.
  if (error instanceof CommanderError) return error.exitCode === EXIT.failed ? EXIT.usage : error.exitCode;
  const message = error instanceof Error ? error.message : String(error);
  const line = process.stderr.isTTY ? "\r\x1b[K" : "";
  const isUsage = error instanceof UsageError || error instanceof SettingError;
  if (isUsage) process.stderr.write(`error: ${message}\n`);
  else if (Object.values<unknown>(SIGNALS).includes(error)) process.stderr.write(`${line}${message}\n`);
  else if (message !== "") process.stderr.write(`${line}liveq: ${message}\n`);
  if (error instanceof Stopped) return error.exitCode;
  return isUsage ? EXIT.usage : EXIT.failed;
}

/**
 * The words of the command. After `--or-demo`, which only `npm start` passes, options without a command go to the demo.
 */
function wordsOf([first, ...others]: readonly string[]): string[] {
  if (first !== "--or-demo") return first === undefined ? ["--help"] : [first, ...others];
  const isProgram = ["--help", "-h", "--version", "-V"].includes(others[0] ?? "");
  return isProgram || (others[0] !== undefined && !others[0].startsWith("-")) ? others : ["demo", ...others];
}

listen();
try {
  await program.parseAsync(wordsOf(process.argv.slice(2)), { from: "user" });
} catch (error) {
  process.exitCode = codeOf(error);
}
