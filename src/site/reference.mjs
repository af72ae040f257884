/** The reference of the doors: Markdown that typedoc makes from the sources and their TSDoc. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Application } from "typedoc";
import { render } from "./markdown.mjs";
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

/** The path that typedoc gives the file of a door. */
function markdownOf({ file }) {
  const path = file.split("/").slice(1, -1).join("/");
  return `${path || "index"}.md`;
}

/** What typedoc writes, without cells that say nothing. */
function tidy(text, { name }) {
  return text.replace(/^# .*$/m, `# ${name}`).replaceAll("| `undefined` |", "|  |");
}

/** typedoc numbers the anchors of some names that are there once: their links lose the number. */
function settled(all) {
  const idsOf = (document) => {
    const { html } = render(document.text, document, () => undefined);
    return new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));
  };
  const ids = new Map(all.map((document) => [basename(document.source), idsOf(document)]));
  return all.map((document) => {
    const own = basename(document.source);
    const text = document.text.replace(/\]\(([\w./]+\.md)?#(\w+)(-\d+)\)/g, (link, file = "", name, number) =>
      ids.get(basename(file) || own).has(name + number) ? link : `](${file}#${name})`,
    );
    return { ...document, text };
  });
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
    const documents = all.map((door) => {
      const source = `reference/${markdownOf(door)}`;
      const text = tidy(readFileSync(join(folder, markdownOf(door)), "utf8"), door);
      const guide = `guides/${door.room}.html`;
      return { source, place: placeOfDoor(door), group: "Reference", label: door.name, title: door.name, text, guide };
    });
    return settled(documents);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
