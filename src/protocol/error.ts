/** An invalid event, request or decision; the message names the field, its requirement and the given value. */
export class EventError extends TypeError {
  override readonly name = "EventError";
  /** Path of the offending field, such as `watchMs` or `tags.2`; empty when the whole value is wrong. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}
