import { show } from "../check/index.js";
import type { LayerWeights } from "../engine/index.js";

/** An agent's layers in the order in which they are connected. */
export interface Chains {
  /** Hidden layers, then the head. */
  main: LayerWeights[];
  /** The same for a dueling value stream; empty without one. */
  value: LayerWeights[];
  /** Number of hidden layers of `main` before the value stream; 0 if it starts at the observation. */
  shared: number;
}

/**
 * Connects layers in the order of `weights()`.
 * @throws TypeError or RangeError for other names or sizes.
 */
export function chainsOf(layers: readonly LayerWeights[]): Chains {
  const main = layers.filter(({ name }) => !name.startsWith("value."));
  const value = layers.filter(({ name }) => name.startsWith("value."));
  const joined = [...named("", main), ...named("value.", value)];
  for (const [i, expected] of joined.entries()) {
    const { name, inputs, outputs, weight, bias } = layers[i]!;
    if (name !== expected) throw new TypeError(`"layers[${i}].name" must be "${expected}", got ${show(name)}`);
    if (weight.length !== inputs * outputs || bias.length !== outputs) {
      throw new RangeError(`"${name}" must have a weight of (${outputs}, ${inputs}) and a bias of (${outputs})`);
    }
  }
  if (main.length === 0) throw new TypeError('"layers" must hold layers, got none');
  const shared = value.length > 0 ? Math.max(0, main.length - value.length) : 0;
  requireFit(main, main[0]!.inputs);
  if (value.length > 0) requireFit(value, shared > 0 ? main[shared - 1]!.outputs : value[0]!.inputs);
  return { main, value, shared };
}

/** The required names of a chain. */
function named(prefix: string, chain: readonly LayerWeights[]): string[] {
  return chain.map((_, l) => `${prefix}${l === chain.length - 1 ? "head" : `hidden.${l}`}`);
}

/** @throws RangeError unless each layer's inputs are the outputs of the layer before. */
function requireFit(chain: readonly LayerWeights[], inputs: number): void {
  let width = inputs;
  for (const layer of chain) {
    if (layer.inputs !== width) throw new RangeError(`"${layer.name}.inputs" must be ${width}, got ${layer.inputs}`);
    width = layer.outputs;
  }
}
