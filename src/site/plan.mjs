/** Which documents the site has, from which file, and where they stand. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";

/** Documents that are no README of a room. */
const RESULTS = [
  { source: "bench/README.md", place: "measured.html", label: "What was measured", isMeasured: true },
  { source: "test/README.md", place: "tests.html", label: "Tests" },
  { source: "CHANGELOG.md", place: "changes.html", label: "Changes" },
];

/** The rooms with a README, in the order in which the start page names them. */
function rooms(start) {
  const named = [...start.matchAll(/\(src\/(\w+)\/README\.md\)/g)].map(([, room]) => room);
  const there = readdirSync("src").filter((room) => existsSync(`src/${room}/README.md`));
  return [...new Set([...named, ...there])];
}

/** The first heading of a text. */
function titleOf(text) {
  return /^# (.*)$/m.exec(text)?.[1].replaceAll("`", "") ?? "";
}

/** A title without the door that it names: "Server" of "Server: liveq/server", "Ranking" of "liveq/ranking". */
function labelOf(title) {
  const bare = title.replace(/: liveq\b.*$|^liveq\//g, "");
  return bare[0].toUpperCase() + bare.slice(1);
}

/** The doors of package.json, by the names of their rooms: name of the door, and its source. */
export function doors() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const typed = Object.entries(exports).filter(([, { types }]) => types !== undefined);
  return typed.map(([name, { types }]) => ({
    name: name.replace(/^\./, "liveq"),
    room: ["", "compression", "continuous", "ensemble"].includes(name.slice(2)) ? "engine" : name.slice(2),
    file: types.replace(/^\.\/dist\/types\/|\.d\.ts$/g, "").concat(".ts"),
  }));
}

/** The place of the reference of a door. */
export function placeOfDoor({ name }) {
  return `reference/${name.replace(/^liveq\//, "")}.html`;
}

/** All documents from READMEs: source, place, label in the navigation, group there, and text. */
export function documents() {
  const start = readFileSync("README.md", "utf8");
  const guides = rooms(start).map((room) => {
    const source = `src/${room}/README.md`;
    const door = doors().find((each) => each.room === room);
    return { source, place: `guides/${room}.html`, group: "Guides", reference: door && placeOfDoor(door) };
  });
  const home = { source: "README.md", place: "index.html", group: "LiveQ", label: "Start" };
  const others = RESULTS.map((each) => ({ ...each, group: "Figures and history" }));
  return [home, ...guides, ...others].map((each) => {
    const text = readFileSync(each.source, "utf8");
    return { label: labelOf(titleOf(text)), ...each, title: titleOf(text), text };
  });
}

const fence = (name, text) => `\`\`\`\`${extname(name).slice(1)}\n${text.trimEnd()}\n\`\`\`\``;

/** A file, or a folder of files, that a document links to: its text as it is. */
export function sourceDocument(file) {
  const isFolder = statSync(file).isDirectory();
  const names = isFolder ? readdirSync(file).sort() : [];
  const text = isFolder
    ? names.map((name) => `## ${name}\n\n${fence(name, readFileSync(join(file, name), "utf8"))}`).join("\n\n")
    : fence(file, readFileSync(file, "utf8"));
  return { source: file, place: `source/${file}.html`, title: file, text: `# ${file}\n\n${text}` };
}
