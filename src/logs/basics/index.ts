export { Batched, inBatches } from "./batches.js";
export { count } from "./counts.js";
export {
  change,
  countWarning,
  drop,
  emptyQualityReport,
  type LogDiversity,
  leaveOut,
  type QualityReport,
  qualityReportLines,
  skipLine,
} from "./report.js";
export { compareEvents, compareSimultaneous, sortSimultaneous } from "./simultaneous.js";
export {
  clockOf,
  countDigits,
  dayOf,
  digitsAt,
  parseDuration,
  parseIsoTime,
  parseNumber,
  parseOffset,
  universal,
  type Zone,
} from "./values.js";
