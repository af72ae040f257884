/** Items of a log: an iterable, or a function that opens one, so that they can be read again. */
export type LogSource<T> = AsyncIterable<T> | Iterable<T> | (() => AsyncIterable<T> | Iterable<T>);

/** Whether a source can be read again: a function, or an array. */
export function isRepeatable<T>(source: LogSource<T>): boolean {
  return typeof source === "function" || Array.isArray(source);
}

export function opened<T>(source: LogSource<T>): AsyncIterable<T> | Iterable<T> {
  return typeof source === "function" ? source() : source;
}
