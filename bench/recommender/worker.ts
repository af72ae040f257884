import { partNamed } from "./suites.js";

/** What a process tells: how far it is, then what came out or what went wrong. */
export type Message = { text: string } | { rows: import("../../src/cli/writing/results.js").Row[] } | { error: string };

// Ctrl-C reaches the whole group: the parent decides what becomes of this process.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

const tell = (message: Message) => process.send!(message);
try {
  tell({ rows: await partNamed(process.argv[2]!).run((text) => tell({ text })) });
} catch (error) {
  tell({ error: String(error) });
}
process.disconnect();
