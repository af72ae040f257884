import { MAX_AHEAD_MS } from "../../../protocol/index.js";
import { answerOf, type EventLimits, readEvents, refusal } from "../../ingest.js";
import { type Lasting, OnceAnswered } from "../answers.js";
import type { Desk, Handlers } from "../desk.js";

/** Events, a batch of them at a time. */
export function eventRoutes(desk: Desk): Handlers {
  const once = new OnceAnswered(desk);
  return { events: ({ req }) => once.of(req.raw, (request, names) => take(desk, request, names)) };
}

async function take({ options, metrics }: Desk, request: Request, names: Lasting | undefined): Promise<Response> {
  const { edge, maxBytes, maxEvents, bodyTimeoutMs, now } = options;
  const limits: EventLimits = {
    ...{ maxBytes, maxEvents, bodyTimeoutMs, now, maxAheadMs: MAX_AHEAD_MS, onInvalid: "skip" },
  };
  const { events, places, faults } = await readEvents(request, limits);
  for (const { answer } of faults) metrics.refused(answer);
  if (names !== undefined) {
    for (const [i, event] of events.entries()) {
      const { line, index } = places[i]!;
      if (event.id === undefined) events[i] = { ...event, id: `${names.key}-${line ?? index ?? 0}` };
    }
  }
  const receipts = events.length === 0 ? [] : await edge.feed(events);
  for (const [i, receipt] of receipts.entries()) {
    if (receipt === "taken") continue;
    const fault = refusal(places[i]!, receipt);
    metrics.refused(fault.answer);
    faults.push(fault);
  }
  return answerOf(receipts, faults);
}
