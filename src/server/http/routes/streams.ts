import type { Context } from "hono";
import { asEvent, EventError, type LiveEvent, type Receipt } from "../../../protocol/index.js";
import { type Desk, type Handlers, json, objectOf, param } from "../desk.js";

/** Streams go on air, change, and go off air. */
export function streamRoutes(desk: Desk): Handlers {
  const told = async (kind: "on_air" | "update" | "off_air", context: Context, body: Record<string, unknown>) => {
    const { edge, now } = desk.options;
    const event = asEvent({ time: now(), ...body, kind, stream: param(context, "stream") }) as LiveEvent;
    const [receipt] = (await edge.feed([event])) as [Receipt];
    if (receipt instanceof EventError) throw receipt;
    return json({ answer: receipt });
  };
  return {
    onAir: async (context) => told("on_air", context, await objectOf(desk, context.req.raw)),
    update: async (context) => told("update", context, await objectOf(desk, context.req.raw)),
    offAir: (context) => told("off_air", context, {}),
  };
}
