/** Workers that share the work of `learn`, on shared memory; see assembly/crew.ts. */
import { builtin } from "./host.js";

/** The engine's initial memory and the limit of a 32-bit memory, in pages. */
const PAGES_MIN = 1;
const PAGES_MAX = 65536;
const MEMORY_SECTION = 5;
const IMPORT_SECTION = 2;
const TYPE_SECTION = 1;
/** The section of one import, `env.memory`: a memory (2) that is shared and has a maximum (3), the two in LEB128. */
const IMPORTS = [
  ...[IMPORT_SECTION, 18, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79],
  ...[2, 3, PAGES_MIN, 0x80, 0x80, 4],
];

/** The data that starts a worker. */
export interface Start {
  bytes: Uint8Array;
  memory: WebAssembly.Memory;
  isUnrolled: boolean;
}

/** The part of a worker's interface that Node and the web share. */
interface Hand {
  terminate(): unknown;
  unref?(): void;
}

interface NodeThreads {
  Worker: new (
    code: string,
    options: { eval: true; workerData: Start },
  ) => Hand & {
    on(event: "error", listener: (error: Error) => void): void;
    on(event: "exit", listener: () => void): void;
  };
}

const ENDED = "a worker ended";
const REFUSED = "a worker was refused: worker-src needs blob:";

/** The code of a worker; `start` is defined before it. */
const LIFE = `
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(start.bytes), { env: { memory: start.memory } });
exports.useUnrolled(start.isUnrolled);
exports.work();`;

/** Why threads are impossible here; undefined if they are possible. */
export function whyAlone(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined") {
    return "no SharedArrayBuffer: a page needs COOP and COEP";
  }
  if (nodeThreads() || typeof Worker !== "undefined") return undefined;
  return "no workers";
}

/** Whether this thread may sleep until another one wakes it; the thread of a window may not. */
export function canSleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

function nodeThreads(): NodeThreads | undefined {
  // Bun and Deno have web workers too, and support those best.
  return typeof Worker === "undefined" ? builtin("node:worker_threads") : undefined;
}

/** A memory for all threads. */
export function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: PAGES_MIN, maximum: PAGES_MAX, shared: true });
}

/** Starts `count` workers; `fail` gets the reason if one cannot start, or ends for whatever reason. */
export function hire(count: number, start: Start, fail: (reason: string) => void): () => void {
  const hired: Hand[] = [];
  try {
    while (hired.length < count) hired.push(hireOne(start, fail));
  } catch {
    // WebKit throws; other browsers call the worker's listener.
    fail(REFUSED);
  }
  return () => {
    for (const hand of hired) hand.terminate();
  };
}

function hireOne(start: Start, fail: (reason: string) => void): Hand {
  const node = nodeThreads();
  if (node) {
    const code = `const start = require("node:worker_threads").workerData;${LIFE}`;
    const worker = new node.Worker(code, { eval: true, workerData: start });
    worker.on("error", (error) => fail(error.message));
    worker.on("exit", () => fail(ENDED));
    worker.unref?.();
    return worker;
  }
  const code = `onmessage = ({ data: start }) => {${LIFE}};`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault?.();
    fail(event.message || REFUSED);
  };
  worker.postMessage(start);
  (worker as Hand).unref?.();
  return worker;
}

/**
 * The module with an imported memory, `env.memory`, in place of its own: its memory section goes and an import section
 * comes. Functions keep their numbers.
 */
export function withImportedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Iterable<number>[] = [module.subarray(0, 8)];
  for (let at = 8; at < module.length; ) {
    const id = module[at]!;
    const [size, start] = readLeb(module, at + 1);
    if (id === IMPORT_SECTION) throw new Error("the module has imports already");
    if (id !== MEMORY_SECTION) parts.push(module.subarray(at, start + size));
    if (id === TYPE_SECTION) parts.push(IMPORTS);
    at = start + size;
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** An unsigned number in WebAssembly's LEB128, and where the next byte is. */
function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}
