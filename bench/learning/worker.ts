import type { Job, Message } from "./pool.js";
import { caseNamed } from "./suites.js";

const TELL_EVERY_MS = 2000;

// Ctrl-C reaches the whole group: the parent decides what becomes of this process.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

let last = 0;
function tell(text: string): void {
  const now = performance.now();
  if (now - last < TELL_EVERY_MS) return;
  last = now;
  process.send!({ text } satisfies Message);
}

process.on("message", async ({ case: name, seed }: Job) => {
  try {
    process.send!({ figures: await caseNamed(name).run(seed, tell) } satisfies Message);
  } catch (error) {
    process.send!({ error: String(error) } satisfies Message);
  }
});
