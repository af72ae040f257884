/** A worker for workerd. */
import { CartPole, DQN, train } from "liveq";
import { program } from "./program.mjs";

export default {
  async fetch() {
    const { hash, error } = await program({ CartPole, DQN, train }).catch((error) => ({ error: error.message }));
    return Response.json({ hash, error });
  },
};
