import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Disk } from "./checkpoints.js";

/** Bytes that are read at once. */
const PIECE = 1 << 20;

/** A folder of this host's file system; made if it is not there. */
export function diskFolder(path: string): Disk {
  mkdirSync(path, { recursive: true });
  const at = (name: string) => join(path, name);
  return {
    list: () => readdirSync(path),
    create(name) {
      const descriptor = openSync(at(name), "w", 0o600);
      return {
        write(bytes) {
          for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
        },
        sync: () => fsyncSync(descriptor),
        close: () => closeSync(descriptor),
      };
    },
    rename: (name, to) => renameSync(at(name), at(to)),
    remove: (name) => rmSync(at(name), { force: true }),
    sync() {
      // Windows flushes names by itself, and opens no folder.
      if (process.platform === "win32") return;
      const descriptor = openSync(path, "r");
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
    *read(name) {
      const descriptor = openSync(at(name), "r");
      try {
        for (;;) {
          const piece = new Uint8Array(PIECE);
          const size = readSync(descriptor, piece);
          if (size === 0) return;
          yield piece.subarray(0, size);
        }
      } finally {
        closeSync(descriptor);
      }
    },
  };
}
