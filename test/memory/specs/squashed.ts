/** What makes an action of numbers: tanh, noise and bounds. */
import fc from "fast-check";
import { changed, draw, input, output, type Spec, seed, size } from "./numbers.js";

const given = fc.record({ n: size(), seed, isOdd: fc.boolean() });
/** Where tanh is neither linear nor flat. */
const SCALE = 3;

export const SQUASHED: Spec[] = [
  {
    kernel: "squash",
    cases: given.map(({ n, seed }) => ({
      tensors: { u: input(draw(n, seed, false).map((x) => SCALE * x)), a: output(n) },
      run: (kernels, at) => kernels.squash(n, at["u"]!, at["a"]!),
      twin: ({ u, a }) => {
        for (let i = 0; i < n; i++) a![i] = Math.tanh(u![i]!);
      },
      tolerance: 1e-6,
    })),
  },
  {
    kernel: "squashBackward",
    cases: given.map(({ n, seed, isOdd }) => ({
      tensors: { a: input(draw(n, seed, isOdd)), da: input(draw(n, seed + 1, isOdd)), du: output(n) },
      run: (kernels, at) => kernels.squashBackward(n, at["a"]!, at["da"]!, at["du"]!),
      twin: ({ a, da, du }, r) => {
        for (let i = 0; i < n; i++) du![i] = r(r(1 - r(a![i]! * a![i]!)) * da![i]!);
      },
      tolerance: isOdd ? 0 : 1e-5,
    })),
  },
  {
    kernel: "addNoise",
    cases: given.map(({ n, seed, isOdd }) => ({
      tensors: { a: changed(draw(n, seed, isOdd)), z: input(draw(n, seed + 1, isOdd)) },
      run: (kernels, at) => kernels.addNoise(n, 0.5, at["z"]!, at["a"]!),
      twin: ({ a, z }, r) => {
        for (let i = 0; i < n; i++) a![i] = Math.min(1, Math.max(-1, r(a![i]! + r(0.5 * z![i]!))));
      },
      tolerance: isOdd ? 0 : 1e-6,
    })),
  },
];
