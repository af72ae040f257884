import { jsonSchemas } from "../../../protocol/index.js";
import { HttpError } from "../../body.js";
import { type Desk, type Handlers, json, RETRY } from "../desk.js";
import { openApi } from "../openapi.js";
import { distributionsOf } from "./figures.js";

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** Health, figures, and what the server says of itself. */
export function operationRoutes(desk: Desk): Handlers {
  const { edge } = desk.options;
  return {
    stats: () => {
      const connections = desk.options.connections.map((connection) => connection.state());
      return json({ ...edge.stats(), recommender: edge.recommenderStats(), connections });
    },
    live: () => json({ live: true }),
    ready: () => {
      if (desk.isDraining) throw new HttpError(503, "the server is stopping", RETRY);
      const { failed } = edge.stats();
      if (failed !== undefined) throw new HttpError(503, `the ${failed} no longer works: start the server anew`);
      return json({ ready: true });
    },
    metrics: () => {
      const page = desk.metrics.page(desk.figures(), distributionsOf(desk));
      return new Response(page, { headers: { "content-type": PROMETHEUS } });
    },
    openapi: async () => json(await openApi()),
    schemas: async () => json(await jsonSchemas()),
  };
}
