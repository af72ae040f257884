import { show } from "../../../check/index.js";
import { EventError } from "../../../protocol/index.js";
import { type Desk, type Handlers, json, objectOf } from "../desk.js";

/** The models that one can go back to. */
export function modelRoutes(desk: Desk): Handlers {
  const { edge } = desk.options;
  return {
    models: () => json({ models: edge.models(), ...edge.stats() }),
    rollback: async ({ req }) => rollback(desk, await objectOf(desk, req.raw)),
    release: async () => {
      await edge.release();
      return json(edge.stats());
    },
  };
}

/** The version that a body names; undefined for none. @throws EventError. */
export function versionOf({ version, ...rest }: Record<string, unknown>): number | undefined {
  const [other] = Object.keys(rest);
  if (other !== undefined) throw new EventError(other, `${show(other)} is not a field of a rollback`);
  if (version === undefined || Number.isSafeInteger(version)) return version as number | undefined;
  throw new EventError("version", `"version" must be an integer, got ${show(version)}`);
}

async function rollback({ options }: Desk, body: Record<string, unknown>): Promise<Response> {
  const { edge } = options;
  const version = versionOf(body);
  try {
    await edge.rollback(version);
  } catch (error) {
    if (error instanceof RangeError) throw new EventError("version", error.message);
    throw error;
  }
  return json(edge.stats());
}
