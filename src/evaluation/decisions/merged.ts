import type { LiveEvent, LoggedDecision } from "../../protocol/index.js";
import { type LogEntry, timed } from "./entries.js";

/**
 * Merges events and decisions. Each decision comes right before the first event that names it, or, if no event does,
 * before the first later event. Decisions after the last event are left out, as the log does not contain their outcome.
 *
 * @param events - In order of time, as are the decisions.
 */
export async function* mergeDecisions(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  decisions: AsyncIterable<LoggedDecision> | Iterable<LoggedDecision>,
): AsyncGenerator<LogEntry, void, undefined> {
  const source = iteratorOf(decisions);
  const waiting: LoggedDecision[] = [];
  let isOver = false;
  for await (const { entry: event, now } of timed(events)) {
    while (!isOver && (waiting.at(-1)?.time ?? 0) <= now) {
      const next = await source.next();
      if (next.done) isOver = true;
      else waiting.push(next.value);
    }
    const named = "decision" in event ? waiting.findIndex(({ id }) => id === event.decision) : -1;
    const earlier = waiting.findIndex(({ time }) => time >= now);
    const due = named >= 0 ? named + 1 : earlier < 0 ? waiting.length : earlier;
    yield* waiting.splice(0, due);
    yield event;
  }
}

function iteratorOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
