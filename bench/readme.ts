/** Makes the tables of bench/README.md again, from the rows in bench/results. */
import { readFileSync, writeFileSync } from "node:fs";
import { withTables } from "./tables.js";

const README = "bench/README.md";
writeFileSync(README, withTables(readFileSync(README, "utf8")));
