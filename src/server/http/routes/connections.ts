import { readBytes } from "../../../logs/index.js";
import { bodyOf } from "../../body.js";
import { type Desk, type Handlers, json, missing, param, RETRY } from "../desk.js";

/** Longest body of a webhook. */
const WEBHOOK = 2 ** 18;

/** The webhooks of platforms that are followed. */
export function connectionRoutes({ options }: Desk): Handlers {
  const known = new Map(options.connections.map((connection) => [connection.name, connection]));
  return {
    connect: async (context) => {
      const connection = known.get(param(context, "name")) ?? missing("connection");
      const { raw } = context.req;
      const body = await readBytes(bodyOf(raw, { ...options, maxBytes: Math.min(options.maxBytes, WEBHOOK) }));
      const query = new URL(raw.url).searchParams;
      const { status, text, error } = await connection.receive({ headers: raw.headers, query, body });
      if (error !== undefined) return json({ error }, status, status === 503 ? RETRY : {});
      const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
      return text === undefined ? new Response(null, { status }) : new Response(text, { status, headers });
    },
  };
}
