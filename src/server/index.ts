export { type Receipt, type Taker, takeEach } from "../protocol/index.js";
export { type IngestAnswer, type IngestFault, type IngestOptions, ingest, type Sunk } from "./ingest.js";
