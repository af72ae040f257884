/** Workers that take a share of `learn` on a memory that they all have; see assembly/crew.ts. */

/** What the engine starts with, and where a 32-bit memory ends, in pages. */
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

/** What a worker is started with. */
export interface Start {
  bytes: Uint8Array;
  memory: WebAssembly.Memory;
  isUnrolled: boolean;
}

/** Of a worker in Node and on the web, what is used here. */
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
  };
}

const REFUSED = "a worker was refused: worker-src needs blob:";

/** What a worker runs; `start` is defined before it. */
const LIFE = `
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(start.bytes), { env: { memory: start.memory } });
exports.useUnrolled(start.isUnrolled);
exports.work();`;

/** The reason why there can be no threads here, or nothing. */
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
  const { process } = globalThis as {
    process?: { versions?: Record<string, string>; getBuiltinModule?: (name: string) => unknown };
  };
  // Bun and Deno have workers of the web too, which they support best.
  if (typeof Worker !== "undefined") return undefined;
  return process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
}

/** A memory for it. */
export function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: PAGES_MIN, maximum: PAGES_MAX, shared: true });
}

/** Starts `count` workers; `fail` is told why one could not start or had to stop. */
export function hire(count: number, start: Start, fail: (reason: string) => void): () => void {
  const hired: Hand[] = [];
  try {
    while (hired.length < count) hired.push(hireOne(start, fail));
  } catch {
    // Where other browsers tell the worker's listener, WebKit throws.
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
 * The same module on a memory that it imports, as `env.memory`, instead of one of its own: the section of its memory
 * goes, one of imports comes. Functions and their numbers stay.
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
