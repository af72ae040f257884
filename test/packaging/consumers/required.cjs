/** Node and Bun by `require`. */
const { readFileSync } = require("node:fs");
const { CartPole, DQN, train } = require("liveq");
const { program } = require("./program.mjs");

for (const path of Object.keys(require("liveq/package.json").exports)) {
  if (path.endsWith(".wasm")) continue;
  const name = path.replace(".", "liveq");
  if (Object.keys(require(name)).length === 0) throw new Error(`${name} is empty`);
}
const compiled = new WebAssembly.Module(readFileSync(require.resolve("liveq/dqn.wasm")));
program({ CartPole, DQN, train }, { module: compiled }).then(({ hash }) => console.log(JSON.stringify({ hash })));
