/**
 * What the engine learns: probes with known values, classic control, changing candidates, logs. Every seed is a run in a
 * child process.
 */
import { Option } from "commander";
import { command, count } from "./harness/command.js";
import { NODE_OPTION } from "./harness/node.js";
import { type ProcessCase, processTasks } from "./harness/suite.js";
import { CASES } from "./learning/cases.js";
import { GOALS, report } from "./learning/report.js";

await command<ProcessCase, { seeds?: number }>({
  name: "learning",
  description: "Measures what the engine learns, and whether it reaches its goals.",
  cases: CASES,
  module: new URL("./learning/cases.ts", import.meta.url),
  goals: GOALS,
  mustMeetGoals: true,
  options: [
    new Option("--seeds <n>", "seeds 1 to n of every case, in place of as many as it reports").argParser(count),
    NODE_OPTION,
  ],
  tasks: (chosen, { seeds }) => processTasks(chosen, seeds),
  report,
});
