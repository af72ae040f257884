import { existsSync, readdirSync, readFileSync } from "node:fs";
import { commandsBlock, settingsBlock } from "./commands.js";
import { decisionsBlock, eventsBlock, requestsBlock } from "./events.js";
import { blocksIn, filled } from "./markdown.js";
import { type Options, optionsBlock, optionsOf } from "./options.js";
import { Interfaces, sourcesIn } from "./sources.js";

/** Blocks that a README must have. */
export const PLACES: Readonly<Record<string, readonly string[]>> = {
  protocol: ["events", "requests", "decisions"],
  cli: ["commands"],
  engine: ["options"],
  server: ["settings", "options"],
  training: ["options"],
  simulator: ["options"],
};

const BLOCKS: Readonly<Record<string, () => string>> = {
  events: eventsBlock,
  requests: requestsBlock,
  decisions: decisionsBlock,
  commands: commandsBlock,
  settings: settingsBlock,
};

/** The rooms with a README. */
export function roomsWithReadme(): string[] {
  return readdirSync("src").filter((room) => existsSync(readmeOf(room)));
}

export function readmeOf(room: string): string {
  return `src/${room}/README.md`;
}

/** What TSDoc says about all of src/, and the options that are checked there. */
export const INTERFACES = new Interfaces(sourcesIn("src"));
export const OPTIONS = await optionsOf(sourcesIn("src"));

/** The options of a room: first those of its own folder, which are made of those below. */
export function optionsIn(room: string): Options[] {
  const depth = ({ file }: Options) => file.split("/").length;
  const own = OPTIONS.filter(({ file }) => file.startsWith(`src/${room}/`)).sort((a, b) => depth(a) - depth(b));
  // Two functions may check the same options.
  const keys = own.map(({ name, file, path }) => `${file} ${name} ${path}`);
  return own.filter((_, i) => keys.indexOf(keys[i]!) === i);
}

/** The README of a room, as it is and as it should be. @throws Error where a block or a sentence of TSDoc is missing. */
export function referenceOf(room: string): { before: string; after: string } {
  const before = readFileSync(readmeOf(room), "utf8");
  const found = blocksIn(before);
  const missing = (PLACES[room] ?? []).filter((name) => !found.includes(name));
  if (missing.length > 0) {
    throw new Error(`${readmeOf(room)} must have "<!-- generated: ${missing[0]} -->" and "<!-- end -->"`);
  }
  const block = (name: string) => {
    if (name === "options") return optionsBlock(optionsIn(room), INTERFACES);
    if (Object.hasOwn(BLOCKS, name)) return BLOCKS[name]!();
    const known = ["options", ...Object.keys(BLOCKS)].join(", ");
    throw new Error(`${readmeOf(room)}: "${name}" is not a generated block; there are ${known}`);
  };
  return { before, after: filled(before, block) };
}
