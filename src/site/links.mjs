/** Checks the links of a site: files that are not there, anchors that are not there, ids that are there twice. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";

/** All files of a folder, by their paths in it. */
export function filesIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length + 1)).sort();
}

function read(folder, file) {
  const html = readFileSync(`${folder}/${file}`, "utf8");
  const ids = [...html.matchAll(/<[^>]* id="([^"]*)"/g)].map(([, id]) => id);
  const links = [...html.matchAll(/<[^>]* (?:href|src)="([^"]*)"/g)].map(([, link]) => link);
  return { ids, links };
}

/** Why a link of a page is dead; undefined where it is not. */
function faultOf(link, file, files, pages) {
  if (/^(https?|data|mailto):/.test(link)) return undefined;
  const [path, anchor] = link.split("#");
  const target = path === "" ? file : posix.join(dirname(file), path);
  if (path.startsWith("/")) return "works only at the root of a host";
  if (!files.has(target)) return "no such file";
  if (anchor === undefined || anchor === "") return undefined;
  return pages.get(target)?.ids.includes(decodeURIComponent(anchor)) ? undefined : "no such anchor";
}

/** A line for each fault. */
export function deadLinks(folder) {
  const files = new Set(filesIn(folder));
  const html = [...files].filter((file) => file.endsWith(".html"));
  const pages = new Map(html.map((file) => [file, read(folder, file)]));
  return [...pages].flatMap(([file, { ids, links }]) => {
    const twice = [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))];
    const faults = [...new Set(links)].map((link) => [link, faultOf(link, file, files, pages)]);
    return [
      ...twice.map((id) => `${file}: id "${id}" is there twice`),
      ...faults.filter(([, fault]) => fault !== undefined).map(([link, fault]) => `${file}: ${link}: ${fault}`),
    ];
  });
}
