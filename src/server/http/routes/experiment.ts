import { show } from "../../../check/index.js";
import { EventError } from "../../../protocol/index.js";
import type { Candidate } from "../../edge/gallery.js";
import { type Desk, type Handlers, json, missing, objectOf } from "../desk.js";

/** An A/B test over the users, and a candidate that scores without being shown. */
export function experimentRoutes(desk: Desk): Handlers {
  const { edge } = desk.options;
  return {
    experiment: () => json(edge.trial() ?? missing("experiment")),
    startExperiment: async ({ req }) => json(await started(desk, await objectOf(desk, req.raw))),
    stopExperiment: async () => json((await edge.stopTrial()) ?? missing("experiment")),
    shadow: () => json(edge.stats().shadow ?? missing("candidate")),
    startShadow: async ({ req }) => {
      await edge.shadow(candidateOf(await objectOf(desk, req.raw)));
      return json(edge.stats().shadow);
    },
    stopShadow: async () => {
      const { shadow } = edge.stats();
      await edge.shadow(undefined);
      return json(shadow ?? missing("candidate"));
    },
  };
}

async function started({ options }: Desk, body: Record<string, unknown>) {
  try {
    return await options.edge.startTrial(body);
  } catch (error) {
    if (error instanceof EventError || !(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new EventError(/^"([^"]*)"/.exec(error.message)?.[1] ?? "", error.message);
  }
}

function candidateOf({ model, ...rest }: Record<string, unknown>): Candidate {
  const [other] = Object.keys(rest);
  if (other !== undefined) throw new EventError(other, `${show(other)} is not a field of a candidate`);
  if (model === "newest") return model;
  if (Number.isSafeInteger(model)) return { model: model as number };
  throw new EventError("model", `"model" must be "newest" or the version of a model, got ${show(model)}`);
}
