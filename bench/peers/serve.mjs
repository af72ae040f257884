/**
 * A peer in JavaScript or Wasm, as a process of its own: `node serve.mjs MODULE DATA [VARIANT]`.
 *
 * The protocol, the same for peers in C and Python: the process writes a line of JSON, { version }, once it is ready, and
 * then one for each line that it reads. Any answer may be { error } instead.
 *
 *   train N        N updates: { us, loss }, how long they took and the loss of the last
 *   act N          the greedy action of the first staged row, N times: { us, chosen: [action] }
 *   act64 N        those of all staged rows, N times: { us, chosen: [action of the first] }
 *   chosen         the greedy actions of all staged rows: { chosen }
 *   weights FILE   writes the parameters, f32, to a file: {}
 *
 * A module exports `create(data, variant)`, which gives { version, train(count), act(count), act64(count), chosen(),
 * weights() }; each may be async. `train` draws its batches with `data.draw()`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const MOST_LAYERS = 9;
const STEPS = 3;
const ROWS = 64;

/** The data file, see data.ts. */
function read(path) {
  const { buffer } = new Uint8Array(readFileSync(path));
  let at = 0;
  const take = (Type, length) => {
    at += length * Type.BYTES_PER_ELEMENT;
    return new Type(buffer.slice(at - length * Type.BYTES_PER_ELEMENT, at));
  };
  const settings = take(Int32Array, 5 + MOST_LAYERS);
  const [observation, actions, batch, capacity, layers] = settings;
  const widths = [observation, ...settings.slice(5, 5 + layers), actions];
  const parameters = widths.slice(1).reduce((sum, out, l) => sum + out * (widths[l] + 1), 0);
  const [learningRate, beta1, beta2, epsilon] = take(Float64Array, 4);
  const data = {
    ...{ settings, observation, actions, batch, capacity, widths, learningRate, beta1, beta2, epsilon },
    observations: take(Float32Array, capacity * observation),
    nextObservations: take(Float32Array, capacity * observation),
    rewards: take(Float32Array, capacity),
    discounts: take(Float32Array, capacity),
    taken: take(Int32Array, capacity),
    parameters: take(Float32Array, parameters),
    staged: take(Float32Array, ROWS * observation),
  };
  const drawn = take(Int32Array, STEPS * batch);
  let step = 0;
  let state = 2463534242;
  const indices = new Int32Array(batch);
  /** The rows of a batch: first those that all peers are checked with, then random ones. Marsaglia 2003. */
  data.draw = () => {
    if (step < STEPS) return drawn.subarray(step * batch, ++step * batch);
    for (let b = 0; b < batch; b++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      indices[b] = (state >>> 0) % capacity;
    }
    return indices;
  };
  return data;
}

async function timed(call, count) {
  const start = performance.now();
  const result = await call(count);
  return [1000 * (performance.now() - start), result];
}

const COMMANDS = {
  async train(peer, count) {
    const [us, loss] = await timed((n) => peer.train(n), Number(count));
    return { us, loss };
  },
  async act(peer, count) {
    const [us, action] = await timed((n) => peer.act(n), Number(count));
    return { us, chosen: [action] };
  },
  async act64(peer, count) {
    const [us, actions] = await timed((n) => peer.act64(n), Number(count));
    return { us, chosen: [actions[0]] };
  },
  chosen: async (peer) => ({ chosen: [...(await peer.chosen())] }),
  async weights(peer, path) {
    writeFileSync(path, await peer.weights());
    return {};
  },
};

async function serve(module, path, variant) {
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  const { create } = await import(new URL(module, import.meta.url));
  const peer = await create(read(path), variant);
  say({ version: peer.version });
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(" ");
    try {
      say(await COMMANDS[name](peer, words.join(" ")));
    } catch (error) {
      say({ error: String(error?.stack ?? error) });
    }
  }
}

// The output is for answers alone; some libraries greet on it.
console.log = console.error;
const [, , module, path, variant] = process.argv;
try {
  await serve(module, path, variant);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String(error?.stack ?? error) })}\n`);
  process.exitCode = 1;
}
