/** What smaller agents lose, and what they are worth: int8, pruned ones, students; on control tasks and the live platform. */
import { Option } from "commander";
import { CASES } from "./compression/cases.js";
import { GOALS, report } from "./compression/report.js";
import { command, count } from "./harness/command.js";
import { NODE_OPTION } from "./harness/node.js";
import { type ProcessCase, processTasks } from "./harness/suite.js";

await command<ProcessCase, { seeds?: number }>({
  name: "compression",
  description:
    "Measures what smaller agents lose of the return, and their speed. A missed goal is printed, and no failure.",
  cases: CASES,
  module: new URL("./compression/cases.ts", import.meta.url),
  goals: GOALS,
  mustMeetGoals: false,
  options: [
    new Option("--seeds <n>", "seeds 1 to n of every case, in place of as many as it reports").argParser(count),
    NODE_OPTION,
  ],
  tasks: (chosen, { seeds }) => processTasks(chosen, seeds),
  report,
});
