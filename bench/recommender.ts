/** The worth and the cost of the recommender. Each case runs in a child process; timed ones run alone. */
import { Option } from "commander";
import { command } from "./harness/command.js";
import { NODE_OPTION } from "./harness/node.js";
import { type ProcessCase, processTasks } from "./harness/suite.js";
import { CASES } from "./recommender/cases.js";
import { GOALS, report } from "./recommender/report.js";

await command<ProcessCase, { against?: string; features?: string[] | true }>({
  name: "recommender",
  description:
    "Measures the recommender and the world that it is judged on, and whether figures are what they must be.",
  cases: CASES,
  module: new URL("./recommender/cases.ts", import.meta.url),
  goals: GOALS,
  mustMeetGoals: true,
  options: [
    new Option("--against <dir>", "latency: the dist/ of another checkout, measured in turn with this one"),
    new Option(
      "--features [group...]",
      "latency: both with the core groups and these; default: the groups of each build",
    ),
    NODE_OPTION,
  ],
  tasks: (chosen, { against, features }) => processTasks(chosen, undefined, { against, features }),
  report,
});
