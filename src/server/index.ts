/**
 * LiveQ behind HTTP, as `(Request) => Promise<Response>` on Web APIs: it runs in Deno, Bun, Workers and, with an adapter,
 * in Node. So far it has one door: where events come in.
 */
export { type IngestAnswer, type IngestFault, type IngestOptions, ingest } from "./ingest.js";
