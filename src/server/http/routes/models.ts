import { EventError } from "../../../protocol/index.js";
import { type Desk, type Handlers, json, objectOf } from "../desk.js";

/** The models that one can go back to. */
export function modelRoutes(desk: Desk): Handlers {
  const { edge } = desk.options;
  return {
    models: () => json({ models: edge.models(), ...edge.stats() }),
    rollback: async ({ req }) => rollback(desk, await objectOf(desk, req.raw)),
    release: () => {
      edge.release();
      return json(edge.stats());
    },
  };
}

function rollback({ options }: Desk, { version }: Record<string, unknown>): Response {
  const { edge } = options;
  if (version !== undefined && !Number.isSafeInteger(version)) {
    throw new EventError("version", '"version" must be an integer');
  }
  try {
    edge.rollback(version as number | undefined);
  } catch (error) {
    if (error instanceof RangeError) throw new EventError("version", error.message);
    throw error;
  }
  return json(edge.stats());
}
