/** Rewrites the generated blocks of the READMEs of src/: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { readmeOf, referenceOf, roomsWithReadme } from "./reference.js";

for (const room of roomsWithReadme()) {
  const { before, after } = referenceOf(room);
  if (before === after) continue;
  writeFileSync(readmeOf(room), after);
  console.log(`${readmeOf(room)} written`);
}
