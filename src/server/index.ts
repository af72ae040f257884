export { type IngestAnswer, type IngestFault, type IngestOptions, ingest } from "./ingest.js";
