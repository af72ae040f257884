/**
 * Writes .build/dqn.text.ts: the Wasm as a string of printable ASCII that compresses almost as well as its bytes, a fifth
 * smaller than base64. Bytes below 88 are one character, the others two; src/module.ts reads it.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Character of d in [0, 90): from # on, without the backslash. */
const character = (d) => String.fromCharCode(d + (d < 57 ? 35 : 36));
const encode = (byte) => (byte < 88 ? character(byte) : character(87 + Math.floor(byte / 88)) + character(byte % 88));

const text = [...readFileSync(".build/dqn.wasm")].map(encode).join("");
writeFileSync(".build/dqn.text.ts", `export default "${text}";\n`);
