/** CommonJS in TypeScript from 5.8 on; compiled, never run. */
import liveq = require("liveq");
import recommender = require("liveq/recommender");

const agent: liveq.DQN = new liveq.DQN({ observation: 4, actions: 2 });
const loss: number = agent.learn();
export = { loss, recommender: new recommender.Recommender() };
