/**
 * Why a call failed. `unreachable`: no answer came. `timeout`: none came in time. `refused`: the server said no, and the
 * same call gets the same answer. `busy`: it could not answer now. `answer`: what came is not what this server answers.
 */
export type ClientFault = "unreachable" | "timeout" | "refused" | "busy" | "answer";

/** What the error of a call is made of. */
interface ClientErrorParts {
  fault: ClientFault;
  status?: number;
  field?: string;
  retryAfterMs?: number | undefined;
  answer?: unknown;
  cause?: unknown;
}

/** A call of the server that failed. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly fault: ClientFault;
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** Path of the wrong field; empty when no field is to blame. */
  readonly field: string;
  /** Milliseconds that the server asks to wait; undefined if it does not say. */
  readonly retryAfterMs: number | undefined;
  /** The body of the answer, as read from JSON; undefined without one. */
  readonly answer: unknown;

  constructor(message: string, { fault, status = 0, field = "", retryAfterMs, answer, cause }: ClientErrorParts) {
    super(message, { cause });
    this.fault = fault;
    this.status = status;
    this.field = field;
    this.retryAfterMs = retryAfterMs;
    this.answer = answer;
  }

  /** Whether the same call may succeed later. */
  get mayPass(): boolean {
    return this.fault === "unreachable" || this.fault === "timeout" || this.fault === "busy";
  }
}

/** Statuses of a server, or of what stands before it, that cannot answer now. */
const BUSY = [408, 425, 429, 500, 502, 503, 504, 507];

/** The error that an answer stands for. */
export function errorOf(status: number, answer: unknown, retryAfterMs: number | undefined): ClientError {
  const { error } = (typeof answer === "object" && answer !== null ? answer : {}) as { error?: unknown };
  const { field, message } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const text = typeof message === "string" ? message : `the server answered ${status}`;
  const fault = BUSY.includes(status) ? "busy" : "refused";
  return new ClientError(text, { fault, status, field: typeof field === "string" ? field : "", retryAfterMs, answer });
}
