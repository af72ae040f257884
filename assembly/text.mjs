/**
 * Writes .build/dqn.text.ts, .build/continuous.text.ts and .build/int8.text.ts: the Wasm as a string of printable ASCII that compresses almost as well as its bytes, a fifth
 * smaller than base64. Bytes from -5 to 82 are one character, among them the prefix of SIMD, the others two;
 * src/engine/instance/module.ts reads it. Where the bytes and the characters begin was searched for: it is worth 1 % of the text.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Character of d in [0, 90): from < to ~ and then from $ on, without the backslash. */
const character = (d) => String.fromCharCode(d < 66 ? d + (d < 32 ? 60 : 61) : d - 30);
const encode = (byte) => {
  const n = (byte + 5) % 256;
  return n < 88 ? character(n) : character(87 + Math.floor(n / 88)) + character(n % 88);
};

for (const name of ["dqn", "continuous", "int8"]) {
  const text = [...readFileSync(`.build/${name}.wasm`)].map(encode).join("");
  writeFileSync(`.build/${name}.text.ts`, `export default "${text}";\n`);
}
