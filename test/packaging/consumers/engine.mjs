/** The least that one can import. */
export { DQN } from "liveq";
