/** A worker whose bundler knows no condition `workerd`, and which passes the module itself. */
import { CartPole, DQN, train } from "liveq";
import module from "liveq/dqn.wasm";
import { program } from "./program.mjs";

export default {
  async fetch() {
    const run = { module };
    const { hash, error } = await program({ CartPole, DQN, train }, run).catch((error) => ({ error: error.message }));
    return Response.json({ hash, error });
  },
};
