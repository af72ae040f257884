import { readBytes } from "../../../logs/index.js";
import { EventError, type Request as SlateRequest } from "../../../protocol/index.js";
import { bodyOf, mediaType } from "../../body.js";
import { DECISION_TYPE, decodeRequest, encodeDecision, REQUEST_TYPE } from "../binary.js";
import { type Desk, type Handlers, json, objectOf, requireObject } from "../desk.js";

/** Slates, one or several. */
export function slateRoutes(desk: Desk): Handlers {
  const { edge } = desk.options;
  return {
    recommend: async ({ req }) => {
      if (mediaType(req.raw) === REQUEST_TYPE) return asBytes(desk, req.raw);
      return json(edge.recommend((await objectOf(desk, req.raw)) as unknown as SlateRequest));
    },
    recommendBatch: async ({ req }) => batch(desk, await objectOf(desk, req.raw)),
  };
}

/** The same in its binary form. */
async function asBytes({ options }: Desk, request: Request): Promise<Response> {
  const bytes = await readBytes(bodyOf(request, options));
  const decision = options.edge.recommend(decodeRequest(bytes) as unknown as SlateRequest);
  return new Response(encodeDecision(decision), { headers: { "content-type": DECISION_TYPE } });
}

function batch({ options }: Desk, { requests, ...rest }: Record<string, unknown>): Response {
  const { edge, maxBatch } = options;
  const [other] = Object.keys(rest);
  if (other !== undefined) throw new EventError(other, `"${other}" is not a field of a batch`);
  if (!Array.isArray(requests) || requests.length === 0 || requests.length > maxBatch) {
    throw new EventError("requests", `"requests" must be an array of 1 to ${maxBatch} requests`);
  }
  const decisions = requests.map((request: unknown, i) => {
    try {
      return edge.recommend(requireObject(request, "a request") as unknown as SlateRequest);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      return { error: { field: `requests.${i}.${error.field}`, message: error.message } };
    }
  });
  return json({ decisions });
}
