/** A page: asks how to run, and posts what came of it. */
import { CartPole, DQN, train } from "liveq";
import { program } from "./program.mjs";

async function main() {
  const run = await (await fetch("/run.json")).json();
  const { hash, threads, threadsReason } = await program({ CartPole, DQN, train }, run);
  return { hash, threads, threadsReason };
}

main()
  .catch((error) => ({ error: `${error.name}: ${error.message}`, cause: error.cause?.name }))
  .then((answer) => fetch("/answer", { method: "POST", body: JSON.stringify(answer) }));
