import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Links followed from one name, as Linux allows. */
const LINKS_MAX = 40;
/** Names of this process's own descriptors: opened anew, a redirected file would be cut and a socket refused. */
const OWN = /^(?:\/dev\/fd|\/proc\/self\/fd)\/(\d{1,6})$/;

/** What is at the place of an output. */
export interface Destination {
  /** The path behind all symbolic links. */
  readonly path: string;
  /** The file that is there; undefined if none is, or if it is no regular file. */
  readonly old: Stats | undefined;
  /** Whether it is a device, a FIFO or an open descriptor, which is written in place. */
  readonly isInPlace: boolean;
  /** The number of an open descriptor of this process. */
  readonly descriptor?: number;
}

/** @throws Error of the file system, for a folder as well. */
export function destinationOf(file: string): Destination {
  const own = { "/dev/stdout": 1, "/dev/stderr": 2 }[file] ?? OWN.exec(file)?.[1];
  if (own !== undefined && process.platform !== "win32") {
    const descriptor = Number(own);
    fstatSync(descriptor);
    return { path: file, old: undefined, isInPlace: true, descriptor };
  }
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw failure("EISDIR", "is a folder", file);
  if (there !== undefined && !there.isFile()) return { path: file, old: undefined, isInPlace: true };
  const path = there === undefined ? unlinked(file) : realpathSync(file);
  // A rename would pass over the permissions of the file itself.
  if (there !== undefined) accessSync(path, constants.W_OK);
  return { path, old: there, isInPlace: false };
}

/** The path that a dangling symbolic link names; the path itself where there is none. */
function unlinked(file: string): string {
  let path = file;
  for (let i = 0; i < LINKS_MAX; i++) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path;
    path = resolve(realpathSync(dirname(path)), readlinkSync(path));
  }
  throw failure("ELOOP", "has too many symbolic links", file);
}

/** Opens a device, a FIFO or a descriptor to be written in place. */
export function openInPlace({ path, descriptor }: Destination): number {
  if (descriptor !== undefined) return descriptor;
  try {
    // Without a reader a FIFO would block the process, deaf to signals.
    return openSync(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    throw failure("ENXIO", "has no reader", path);
  }
}

/** Opens a new file beside a destination, with the mode and owner of the old file. */
export function openBeside({ old }: Destination, temporary: string): number {
  // A file with this name is left from an earlier process with the same id.
  rmSync(temporary, { force: true });
  if (old === undefined) return openSync(temporary, "wx");
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    const made = fstatSync(descriptor);
    if (made.uid !== old.uid || made.gid !== old.gid) giveTo(descriptor, old);
    fchmodSync(descriptor, old.mode & 0o7777);
  } catch (error) {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
    throw error;
  }
  return descriptor;
}

/** Keeps the owner where the process may. */
function giveTo(descriptor: number, { uid, gid }: Stats): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}

/** @throws Error if something other than a regular file has come to the place since. */
export function requireUnchanged({ path }: Destination): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now !== undefined && !now.isFile()) throw failure("EEXIST", "was replaced by something that is no file", path);
}

/** The name of a file beside another: short enough for the file system where the other is. */
export function beside(path: string, suffix: string): string {
  let name = basename(path);
  while (Buffer.byteLength(name + suffix) > 255) name = name.slice(0, -1);
  return join(dirname(path), name + suffix);
}

function failure(code: string, what: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path} ${what}`), { code, path });
}
