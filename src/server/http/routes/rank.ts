import { lastingOf } from "../answers.js";
import { type Desk, type Handlers, json, objectOf, param } from "../desk.js";
import { versionOf } from "./models.js";

/** Actions that a caller gives, and the rewards of those that were chosen. */
export function rankRoutes(desk: Desk): Handlers {
  const { rank } = desk.options.edge;
  return {
    rank: async (context) => {
      const body = await objectOf(desk, context.req.raw);
      const names = lastingOf(context);
      // The event itself lasts over restarts: under its id the same request gets the same answer.
      return json(rank.rank(names === undefined ? body : { eventId: names.key, ...body }));
    },
    reward: async (context) => {
      return json({ answer: await rank.reward(param(context, "event"), await objectOf(desk, context.req.raw)) });
    },
    activate: async (context) => json({ answer: await rank.activate(param(context, "event")) }),
    rankReport: () => json(rank.report()),
    graduate: async () => {
      await rank.graduate();
      return json(rank.report());
    },
    rankModels: () => json({ models: rank.models(), ...rank.report() }),
    rankRollback: async ({ req }) => {
      await rank.rollback(versionOf(await objectOf(desk, req.raw)));
      return json(rank.report());
    },
    rankRelease: async () => {
      await rank.release();
      return json(rank.report());
    },
  };
}
