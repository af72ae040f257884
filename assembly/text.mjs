/**
 * Writes .build/dqn.text.ts: the Wasm as a string of printable ASCII that compresses almost as well as its bytes, a fifth
 * smaller than base64. Bytes from -4 to 83 are one character, among them the prefix of SIMD, the others two;
 * src/module.ts reads it. Where the bytes and the characters begin was searched for: it is worth 1 % of the text.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Character of d in [0, 90): from x to } and then from # on, without the backslash. */
const character = (d) => String.fromCharCode(d < 6 ? d + 120 : d + (d < 63 ? 29 : 30));
const encode = (byte) => {
  const n = (byte + 4) % 256;
  return n < 88 ? character(n) : character(87 + Math.floor(n / 88)) + character(n % 88);
};

const text = [...readFileSync(".build/dqn.wasm")].map(encode).join("");
writeFileSync(".build/dqn.text.ts", `export default "${text}";\n`);
