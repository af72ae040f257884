import { type Argument, Help, type Option } from "commander";
import { program } from "../../src/cli/liveq.js";
import { flagOf, KEYS, SETTINGS, variableOf } from "../../src/cli/serve/index.js";
import { codeFor, tableOf } from "./markdown.js";

/** What an option or argument must be, in the words of its own parser or choices. */
function rangeOf({ argChoices, parseArg }: Option | Argument): string {
  if (argChoices !== undefined) return argChoices.map((choice) => `\`${choice}\``).join(", ");
  try {
    // Nothing that an option can be: the parser answers what it must be.
    parseArg?.("\0", undefined as never);
  } catch (error) {
    return (error as Error).message.replace(/^It must be /, "").replace(/\.$/, "");
  }
  return "";
}

function rowOf(what: Option | Argument, term: string, isRequired: boolean): string[] {
  const { defaultValue: value, description } = what;
  const hasDefault = value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  const range = rangeOf(what);
  return [`\`${term}\``, description, range, isRequired ? "required" : hasDefault ? shown(value) : ""];
}

/** A default as one types it. */
function shown(value: unknown): string {
  return typeof value === "string" ? `\`${value}\`` : codeFor("", value);
}

/** Every command with its arguments and options, as commander holds them. */
export function commandsBlock(): string {
  const help = new Help();
  const sections = program.commands.map((command) => {
    const usage = `liveq ${command.name()} ${command.usage()}`;
    const positional = command.registeredArguments.map((each) => rowOf(each, help.argumentTerm(each), each.required));
    const options = command.options.map((each) => rowOf(each, each.flags, each.mandatory));
    const table = tableOf(["Option", "Meaning", "Must be", "Default"], [...positional, ...options]);
    return `### \`liveq ${command.name()}\`\n\n\`${usage}\`: ${command.description()}.\n\n${table}`;
  });
  return sections.join("\n\n");
}

/** Every setting of `liveq serve`, by its three names. */
export function settingsBlock(): string {
  const rows = KEYS.map((key) => {
    const { about, rule, preset } = SETTINGS[key];
    const value = preset === undefined ? "" : codeFor(key, preset);
    return [`\`${key}\``, `\`${flagOf(key)}\``, `\`${variableOf(key)}\``, about, rule[1], value];
  });
  return tableOf(["Key of the file", "Flag", "Variable", "Meaning", "Must be", "Default"], rows);
}
