export type { Diversity } from "./diversity.js";
export { type BoundsOptions, Cleaner, type CleanOptions, cleanEvents, type EventBounds, fitBounds } from "./events.js";
export { type Counts, emptyReport, type QualityReport, reportLines } from "./report.js";
export {
  type Cell,
  type Cleaning,
  type ColumnPolicy,
  type ColumnStatistics,
  cleanTable,
  fitTable,
  type Row,
  type TableOptions,
  type TablePolicy,
  type TableStatistics,
} from "./table.js";
