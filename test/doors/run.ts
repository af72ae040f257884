/** Rewrites the committed reports of all doors: `npm run doors`. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DOORS, differences, reportFile, reportOf, surfacesOf } from "./doors.js";

const surfaces = surfacesOf(DOORS);
for (const file of readdirSync("test/doors")) {
  if (file.endsWith(".txt") && !surfaces.has(file.slice(0, -4))) rmSync(`test/doors/${file}`);
}
for (const [door, surface] of surfaces) {
  const file = reportFile(door);
  const report = reportOf(door, surface);
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  writeFileSync(file, report);
  const changes = differences(before, report);
  console.log(`${file}: ${surface.exported.size} names, ${changes.length} differences`);
  for (const change of before === "" ? [] : changes) console.log(`  ${change}`);
}
