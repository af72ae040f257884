/** The two ends of a worker, of Node or of the web. */

/** A worker that was started: Node's of `node:worker_threads`, or that of browsers, Bun and Deno. */
export interface ActorWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

type Listener = (value: never) => void;

interface Either extends ActorWorker {
  on?(event: string, listener: Listener): unknown;
  addEventListener?(event: string, listener: Listener): unknown;
  unref?(): unknown;
}

/** Calls `take` with each message, and `fail` with the reason when the worker ends or breaks. */
export function listenTo(worker: ActorWorker, take: (data: unknown) => void, fail: (reason: string) => void): void {
  const either = worker as Either;
  // A training that nobody asks any more for its next report keeps no process alive.
  either.unref?.();
  if (either.addEventListener && !isOfNode(either)) {
    either.addEventListener("message", ({ data }: { data: unknown }) => take(data));
    either.addEventListener("error", (event: { message?: string; preventDefault?(): void }) => {
      event.preventDefault?.();
      fail(event.message || "its script cannot be loaded");
    });
    either.addEventListener("messageerror", () => fail("a message cannot be read"));
    // Of Bun; browsers do not tell.
    either.addEventListener("close", () => fail("it ended"));
    return;
  }
  either.on!("message", take);
  either.on!("error", (error: Error) => fail(error.message));
  either.on!("messageerror", () => fail("a message cannot be read"));
  either.on!("exit", (code: number) => fail(`it ended with code ${code}`));
}

/** Node's workers have listeners of the web only in some versions, without the event of their end. */
function isOfNode(worker: Either): boolean {
  return typeof worker.on === "function";
}

/** The end within the worker. */
export interface ParentPort {
  send(message: unknown): void;
  listen(take: (data: unknown) => void): void;
}

interface Scope {
  postMessage?(message: unknown): void;
  addEventListener?(event: "message", listener: (event: { data: unknown }) => void): void;
  process?: { getBuiltinModule?(name: string): unknown };
  document?: unknown;
}

/** @throws Error in a thread that no other one started. */
export function parentPort(): ParentPort {
  const scope = globalThis as Scope;
  if (scope.postMessage && scope.addEventListener && scope.document === undefined) {
    return {
      send: (message) => scope.postMessage!(message),
      listen: (take) => scope.addEventListener!("message", ({ data }) => take(data)),
    };
  }
  const threads = scope.process?.getBuiltinModule?.("node:worker_threads") as
    | { parentPort: { postMessage(message: unknown): void; on(event: "message", listener: Listener): void } | null }
    | undefined;
  const port = threads?.parentPort;
  if (!port) throw new Error("runActor must be called in a worker that trainWithActors started");
  return { send: (message) => port.postMessage(message), listen: (take) => port.on("message", take) };
}
