/** Node and Bun by `require`. */
const { readFileSync } = require("node:fs");
const { CartPole, DQN, train } = require("liveq");
const { program } = require("./program.mjs");

for (const name of ["recommender", "server", "node", "tensorboard", "exchange", "package.json"]) {
  if (Object.keys(require(`liveq/${name}`)).length === 0) throw new Error(`liveq/${name} is empty`);
}
const compiled = new WebAssembly.Module(readFileSync(require.resolve("liveq/dqn.wasm")));
program({ CartPole, DQN, train }, { module: compiled }).then(({ hash }) => console.log(JSON.stringify({ hash })));
