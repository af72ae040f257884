import { type Desk, type Handlers, json, missing, param } from "../desk.js";

/** What is known of a user, and forgetting it. */
export function userRoutes({ options }: Desk): Handlers {
  const { edge } = options;
  return {
    user: (context) => json(edge.profile(param(context, "user")) ?? missing("user")),
    exportUser: async (context) => json((await edge.export(param(context, "user"))) ?? missing("user")),
    forget: async (context) => json({ wasKnown: await edge.forget(param(context, "user")) }),
  };
}
