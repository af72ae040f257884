import { type Desk, type Handlers, json, objectOf, param } from "../desk.js";

/** Actions that a caller gives, and the rewards of those that were chosen. */
export function rankRoutes(desk: Desk): Handlers {
  const { rank } = desk.options.edge;
  return {
    rank: async ({ req }) => json(rank.rank(await objectOf(desk, req.raw))),
    reward: async (context) => {
      return json({ answer: await rank.reward(param(context, "event"), await objectOf(desk, context.req.raw)) });
    },
    activate: async (context) => json({ answer: await rank.activate(param(context, "event")) }),
    rankReport: () => json(rank.report()),
    graduate: async () => {
      await rank.graduate();
      return json(rank.report());
    },
  };
}
