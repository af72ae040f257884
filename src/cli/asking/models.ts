export interface ModelsCommandOptions {
  url: string;
  token?: string;
  /** The version to go back to; true: the one before. */
  rollback?: number | true;
  release: boolean;
}

interface Answer {
  models: { version: number; updates: number; transitions: number; loss: number | null; qMean: number | null }[];
  model: number;
  isPinned: boolean;
}

/** Milliseconds for an answer. */
const TIMEOUT_MS = 10_000;

/**
 * Lists the models of a running server, after going back to one or letting the newest go live where that is asked for.
 *
 * @param print Takes lines of the table.
 * @throws Error if the server cannot be reached, or says no.
 */
export async function models(options: ModelsCommandOptions, print: (line: string) => void): Promise<void> {
  const { rollback, release } = options;
  if (rollback !== undefined) {
    await ask(options, "POST", "/v1/models/rollback", rollback === true ? {} : { version: rollback });
  } else if (release) await ask(options, "POST", "/v1/models/release", {});
  const answer = (await ask(options, "GET", "/v1/models")) as Answer;
  const number = (value: number | null) => (value === null ? "-" : value.toPrecision(4));
  print(row("version", "updates", "transitions", "loss", "mean Q", ""));
  for (const { version, updates, transitions, loss, qMean } of answer.models) {
    const note = version !== answer.model ? "" : answer.isPinned ? "answers, and newer ones wait" : "answers";
    print(row(version, updates, transitions, number(loss), number(qMean), note));
  }
}

function row(...[version, updates, transitions, loss, qMean, note]: (string | number)[]): string {
  const numbers = [version, updates, transitions, loss, qMean].map((cell) => String(cell).padStart(11));
  return `${numbers.join(" ")}  ${note}`.trimEnd();
}

async function ask(
  { url, token }: ModelsCommandOptions,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<unknown> {
  const base = url.replace(/\/$/, "");
  let response: Response;
  try {
    response = await fetch(`${base}${path}`, {
      method,
      headers: { "content-type": "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new Error(`${base} cannot be reached: ${(cause as Error).message}`, { cause });
  }
  const answer = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  if (response.ok) return answer;
  throw new Error(`${base} answers ${response.status}: ${answer.error?.message ?? "no reason"}`);
}
