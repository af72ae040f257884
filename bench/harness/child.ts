/** A child process that runs the cases of a module, one job after the other. */
import type { Message, Order } from "./pool.js";
import type { ProcessCase } from "./suite.js";

const SAY_EVERY_MS = 2000;

// Ctrl-C reaches the whole group: the parent decides what becomes of this process.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

let last = Number.NEGATIVE_INFINITY;
function say(text: string): void {
  const now = performance.now();
  if (now - last < SAY_EVERY_MS) return;
  last = now;
  process.send!({ text } satisfies Message);
}

async function answer({ job, options }: Order): Promise<Message> {
  try {
    const { CASES } = (await import(process.argv[2]!)) as { CASES: readonly ProcessCase[] };
    const found = CASES.find(({ name }) => name === job.case);
    if (!found) return { error: `there is no case ${job.case}` };
    return { results: await found.run({ seed: job.seed ?? 1, options: { ...options }, say }) };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on("message", async (order: Order) => void process.send!(await answer(order)));
