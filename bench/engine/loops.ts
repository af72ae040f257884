/** A process that writes the names of the register-only loops, then for each line that it reads their GFLOP/s. */
import { createInterface } from "node:readline";
import { sampler } from "../harness/timing.js";
import { rooflineLoops } from "./roofline.js";

const loops = rooflineLoops().loops.map((loop) => ({ loop, sample: sampler(loop) }));
for (const { sample } of loops) sample();
console.log(JSON.stringify(loops.map(({ loop }) => loop.name)));
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(loops.map(({ loop, sample }) => loop.flop / sample() / 1000)));
}
