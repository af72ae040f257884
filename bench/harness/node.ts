import { spawnSync } from "node:child_process";
import { Option } from "commander";
import { RUNTIMES, type RuntimeName, runtime } from "../../test/runtimes/install.js";

/** Runs a command in another version of Node. */
export const NODE_OPTION = new Option("--node <name>", "run in this Node, installed as test:runtimes does").choices(
  RUNTIMES.filter((name) => name.startsWith("node")),
);

/**
 * Runs this command again in another Node, without the option.
 * @returns Its exit code.
 */
export function runInNode(name: RuntimeName): number {
  const found = runtime(name);
  if ("missing" in found) {
    console.error(`${name} is missing: ${found.missing}`);
    return 1;
  }
  const [command, ...first] = found.command;
  const own = process.argv.slice(1).filter((word, i, all) => !/^--node\b/.test(word) && all[i - 1] !== "--node");
  return spawnSync(command!, [...first, "--import", "tsx", ...own], { stdio: "inherit" }).status ?? 1;
}
