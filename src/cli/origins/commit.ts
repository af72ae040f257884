import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

/** Folders above the current one that are looked at. */
const DEPTH = 64;
const HASH = /^[0-9a-f]{40,64}$/;

/**
 * The commit of the git work tree around a folder, read from its files, without git; undefined outside one, and before the
 * first commit. Changes that are not committed do not show.
 */
export function commitAround(folder: string): string | undefined {
  let at = resolve(folder);
  for (let depth = 0; depth < DEPTH; depth++) {
    try {
      const git = gitFolder(join(at, ".git"));
      if (git !== undefined) return headOf(git);
    } catch {
      return undefined;
    }
    const above = dirname(at);
    if (above === at) return undefined;
    at = above;
  }
  return undefined;
}

/** Where `.git` leads: itself, or the folder that the file names in a linked work tree. */
function gitFolder(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isDirectory()) return path;
  const text = readFileSync(path, "utf8");
  if (!text.startsWith("gitdir:")) return undefined;
  const named = text.slice("gitdir:".length).trim();
  return isAbsolute(named) ? named : join(dirname(path), named);
}

function headOf(git: string): string | undefined {
  const head = readFileSync(join(git, "HEAD"), "utf8").trim();
  if (!head.startsWith("ref:")) return hashIn(head);
  const name = head.slice("ref:".length).trim();
  // A linked work tree has a HEAD of its own, and the branches of the first one.
  const common = textOf(join(git, "commondir"))?.trim();
  const shared = common === undefined ? git : isAbsolute(common) ? common : join(git, common);
  const loose = textOf(join(git, name)) ?? textOf(join(shared, name));
  if (loose !== undefined) return hashIn(loose.trim());
  const packed = textOf(join(shared, "packed-refs"))?.split("\n") ?? [];
  return hashIn(packed.find((line) => line.endsWith(` ${name}`))?.split(" ")[0] ?? "");
}

function hashIn(text: string): string | undefined {
  return HASH.test(text) ? text : undefined;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
