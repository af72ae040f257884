/** What the command's exit code means. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** Why a run ended before it was done. */
export class Stopped extends Error {
  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** Ends what runs, at its next pause: by Ctrl-C or SIGTERM, or as stdout takes no more. */
export const stop = new AbortController();
export const SIGNALS = {
  SIGINT: new Stopped(EXIT.interrupted, "interrupted"),
  SIGTERM: new Stopped(EXIT.terminated, "terminated"),
};

/** Makes signals, and a reader of stdout who leaves, end what runs. */
export function listen(): void {
  for (const [signal, reason] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      stop.abort(reason);
      // The next one, of either, ends the process at once.
      for (const other of Object.keys(SIGNALS)) process.removeAllListeners(other);
    });
  }
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const code = error.code === "EPIPE" ? EXIT.ok : EXIT.failed;
    if (code !== EXIT.ok) process.stderr.write(`liveq: stdout: cannot be written: ${error.message}\n`);
    process.exitCode = code;
    stop.abort(new Stopped(code, ""));
  });
}
