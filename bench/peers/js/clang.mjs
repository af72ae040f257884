/** LiveQ's algorithm in C, compiled to Wasm by clang: native/dqn.c. */
import { readFileSync } from "node:fs";

/** As in native/peer.h. */
const NAMES = ["observations", "nextObservations", "rewards", "discounts", "taken", "parameters", "staged", "chosen"];

/** The characters up to a 0. */
function text({ buffer }, at) {
  const bytes = new Uint8Array(buffer, at);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

export function create(data, file) {
  const module = new WebAssembly.Module(readFileSync(file));
  const { exports: c } = new WebAssembly.Instance(module);
  const { memory } = c;
  new Int32Array(memory.buffer, c.settings(), data.settings.length).set(data.settings);
  new Float64Array(memory.buffer, c.rates(), 4).set([data.learningRate, data.beta1, data.beta2, data.epsilon]);
  if (!c.create()) throw new Error("there is not enough memory");
  const view = (Type, name, length) => new Type(memory.buffer, c.array(NAMES.indexOf(name)), length);
  for (const name of NAMES.slice(0, -1)) view(data[name].constructor, name, data[name].length).set(data[name]);
  c.load();
  const chosen = view(Int32Array, "chosen", data.staged.length / data.observation);
  return {
    version: text(memory, c.built_by()),
    train: (count) => c.train(count),
    act(count) {
      c.act(count);
      return chosen[0];
    },
    act64(count) {
      c.act_rows(count);
      return chosen;
    },
    chosen() {
      c.act_rows(1);
      return chosen;
    },
    weights() {
      c.unload();
      return view(Float32Array, "parameters", data.parameters.length).slice();
    },
  };
}
