/** The reference of the doors: Markdown that typedoc makes from the sources and their TSDoc. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Application } from "typedoc";
import { doors, placeOfDoor } from "./plan.mjs";

const TABLES = ["parameters", "interfaceProperties", "classProperties", "typeAliasProperties", "enumMembers"];

const OPTIONS = {
  tsconfig: "src/tsconfig.json",
  plugin: ["typedoc-plugin-markdown"],
  // Types are checked elsewhere.
  skipErrorChecking: true,
  validation: false,
  readme: "none",
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  logLevel: "Error",
  hideBreadcrumbs: true,
  entryFileName: "all",
  outputFileStrategy: "modules",
  hidePageHeader: true,
  ...Object.fromEntries(TABLES.map((name) => [`${name}Format`, "table"])),
};

/** The name that typedoc gives the file of a door. */
function markdownOf({ file }) {
  const room = file.split("/").at(-2);
  return room === "src" ? "index.md" : `${room}.md`;
}

/** The documents of all doors. */
export async function referenceDocuments() {
  const all = doors();
  const folder = mkdtempSync(join(tmpdir(), "liveq-reference-"));
  try {
    const app = await Application.bootstrapWithPlugins({ ...OPTIONS, entryPoints: all.map(({ file }) => file) });
    const project = await app.convert();
    app.options.setValue("outputs", [{ name: "markdown", path: folder }]);
    await app.generateOutputs(project);
    return all.map((door) => {
      const source = `reference/${markdownOf(door)}`;
      const text = readFileSync(join(folder, basename(source)), "utf8").replace(/^# .*$/m, `# ${door.name}`);
      const guide = `guides/${door.room}.html`;
      return { source, place: placeOfDoor(door), group: "Reference", label: door.name, title: door.name, text, guide };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
