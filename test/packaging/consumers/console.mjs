/** Node, Bun and Deno by `import`; the argument holds the options of the run. */
import { CartPole, DQN, train } from "liveq";
import { program } from "./program.mjs";

const run = JSON.parse(globalThis.process.argv[2] ?? "{}");
const { hash, threads, threadsReason } = await program({ CartPole, DQN, train }, run);
console.log(JSON.stringify({ hash, threads, threadsReason }));
