/** Run as a process of its own: loads agents from files, lets each live on, and prints their digests as JSON. */
import { readFileSync } from "node:fs";
import { DQN } from "../../src/index.js";
import { digestOf, live } from "./live.js";

/** A file, the step it was saved at, and the step to go on to. */
export interface Job {
  file: string;
  from: number;
  to: number;
}

const jobs = JSON.parse(readFileSync(0, "utf8")) as Job[];
const digests = jobs.map(({ file, from, to }) => {
  const agent = DQN.load(readFileSync(file));
  live(agent, to - from, from);
  const digest = digestOf(agent);
  agent.dispose();
  return digest;
});
console.log(JSON.stringify(digests));
