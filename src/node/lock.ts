import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { destinationOf } from "./destination.js";

/** The contents of a lock's file. */
interface Holder {
  pid: number;
  host: string;
  /** When the process began, as its system counts; "" where it does not say. */
  since: string;
  /** Names this lock among all that had the file's name. */
  key: string;
}

/** Tries, and milliseconds between them, while another process takes or breaks the lock. */
const [TRIES, PAUSE_MS] = [50, 10] as const;

/** Locks that this process holds: path of the lock's file -> key. */
const held = new Map<string, string>();
let isListening = false;

/** A lock that this process holds. */
export interface FileLock {
  /** Removes the lock; a second call does nothing. The end of the process releases it as well. */
  release(): void;
}

/**
 * Takes a file for this process alone, by a file beside it that ends in `.lock` and names the process. Only those who
 * ask for the lock obey it. A process that was killed holds it no longer: the next one on the same host takes it over.
 *
 * ```ts
 * const lock = lockFile("agent.liveq");
 * saveFile("agent.liveq", agent.save());
 * lock.release();
 * ```
 *
 * @throws Error if another process holds the lock, or this one; its message names the process and the lock's file. Error
 *   of the file system.
 */
export function lockFile(file: string): FileLock {
  const { path, isInPlace } = destinationOf(file);
  // Devices and pipes hold nothing that two writers could spoil.
  if (isInPlace) return { release() {} };
  const lock = `${path}.lock`;
  const key = randomUUID();
  const own: Holder = { pid: process.pid, host: hostname(), since: beginningOf(process.pid), key };
  for (let i = 0; !created(lock, own); i++) {
    const holder = holderOf(lock);
    if (holder !== undefined && isAlive(holder, lock)) {
      const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
      throw new Error(`${file}: process ${holder.pid}${where} is writing it; if that is gone, remove ${lock}`);
    }
    if (holder !== undefined && broken(lock, holder)) continue;
    if (i === TRIES) throw new Error(`${file}: cannot be locked; remove ${lock}`);
    pause(PAUSE_MS);
  }
  held.set(lock, key);
  // Whatever ends the process, but a kill.
  if (!isListening) process.on("exit", releaseAll);
  isListening = true;
  return { release: () => release(lock, key) };
}

function release(lock: string, key: string): void {
  if (held.get(lock) !== key) return;
  held.delete(lock);
  if (holderOf(lock)?.key === key) rmSync(lock, { force: true });
}

function releaseAll(): void {
  for (const [lock, key] of [...held]) release(lock, key);
}

/** Creates a lock's file; false if there is one. */
function created(lock: string, holder: Holder): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(lock, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  try {
    writeSync(descriptor, JSON.stringify(holder));
  } finally {
    closeSync(descriptor);
  }
  return true;
}

/** Undefined while the lock's file is missing or not yet written. */
function holderOf(lock: string): Holder | undefined {
  try {
    const { pid, host, since, key } = JSON.parse(readFileSync(lock, "utf8")) as Partial<Holder>;
    const isHolder = Number.isSafeInteger(pid) && pid! > 0 && /^[\w-]{36}$/.test(String(key));
    return isHolder ? { pid: pid!, host: String(host), since: String(since), key: String(key) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes the lock of a dead process; false if another process is at it. The folder of the lock's key lets one process
 * at a time do so: the new lock of one that was faster must not be taken for the old one.
 */
function broken(lock: string, { key }: Holder): boolean {
  const guard = `${lock}.${key}`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  try {
    if (holderOf(lock)?.key === key) rmSync(lock, { force: true });
  } finally {
    rmdirSync(guard);
  }
  return true;
}

/** Whether a lock's process may still run. Of other hosts that is not known. */
function isAlive({ pid, host, since, key }: Holder, lock: string): boolean {
  if (host !== hostname()) return true;
  // Another thread of this process, or an earlier process: the first one of every container has the number 1.
  if (pid === process.pid) return held.get(lock) === key || (since !== "" && since === beginningOf(pid));
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return sinceIs(pid, since);
}

/** Whether a process is the one that began then, and no later one with its number. */
function sinceIs(pid: number, since: string): boolean {
  const now = beginningOf(pid);
  return since === "" || now === "" || now === since;
}

/** When a process began, with the start of the system before it; "" where the system does not say. */
function beginningOf(pid: number): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // The fields after the command's name, which may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "").trim().split(" ");
    // A zombie is gone.
    return fields[0] === "Z" ? "gone" : `${boot} ${fields[19]}`;
  } catch {
    return "";
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
