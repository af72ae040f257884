/** The exit codes. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** Thrown when a run ends early. */
export class Stopped extends Error {
  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** Ends the run at its next pause: on Ctrl-C, SIGTERM, or a closed stdout. */
export const stop = new AbortController();
export const SIGNALS = {
  SIGINT: new Stopped(EXIT.interrupted, "interrupted"),
  SIGTERM: new Stopped(EXIT.terminated, "terminated"),
};

/** Listens for signals and errors of stdout that end a run. */
export function listen(): void {
  for (const [signal, reason] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      stop.abort(reason);
      // The next signal of either kind ends the process at once.
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
