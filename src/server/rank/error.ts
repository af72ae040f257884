/** A call about an event that cannot have it. */
export class RankError extends Error {
  /** As in HTTP: 404 for an event that is not known, 409 for one that is in another state. */
  readonly status: 404 | 409;
  readonly field: string;

  constructor(status: 404 | 409, message: string, field = "") {
    super(message);
    this.status = status;
    this.field = field;
  }
}
