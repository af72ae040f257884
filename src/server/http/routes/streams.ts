import type { Context } from "hono";
import { show } from "../../../check/index.js";
import { asEvent, EventError, type LiveEvent, type Receipt } from "../../../protocol/index.js";
import { lastingOf } from "../answers.js";
import { type Desk, type Handlers, json, missing, objectOf, param } from "../desk.js";

/** Streams go on air, change, and go off air. */
export function streamRoutes(desk: Desk): Handlers {
  const told = async (kind: "on_air" | "update" | "off_air", context: Context, body: Record<string, unknown>) => {
    const { edge, now } = desk.options;
    const names = lastingOf(context);
    const own = names !== undefined && body["id"] === undefined ? { id: names.request } : {};
    const event = asEvent({ time: now(), ...body, ...own, kind, stream: param(context, "stream") }) as LiveEvent;
    const [receipt] = (await edge.feed([event])) as [Receipt];
    // The same request came before, and was given the time of then.
    if (receipt instanceof EventError && receipt.field === "id" && "id" in own) return json({ answer: "duplicate" });
    if (receipt instanceof EventError) throw receipt;
    return json({ answer: receipt });
  };
  return {
    similar: (context) => {
      const k = kOf(context.req.query("k"));
      return json({ streams: desk.options.edge.similar(param(context, "stream"), k) ?? missing("stream") });
    },
    onAir: async (context) => told("on_air", context, await objectOf(desk, context.req.raw)),
    update: async (context) => told("update", context, await objectOf(desk, context.req.raw)),
    offAir: (context) => told("off_air", context, {}),
  };
}

/** Most streams like one. */
const SIMILAR_MAX = 100;

function kOf(text = "10"): number {
  const k = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (k >= 1 && k <= SIMILAR_MAX) return k;
  throw new EventError("k", `"k" must be an integer in [1, ${SIMILAR_MAX}], got ${show(text)}`);
}
