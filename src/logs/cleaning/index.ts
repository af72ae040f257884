export { type EventBounds, type EventBoundsOptions, fitEventBounds } from "./bounds.js";
export { cleanEvents, EventCleaner } from "./cleaner.js";
export type { CleanEventsOptions } from "./options.js";
export {
  type CleanedRecords,
  type CleanTableOptions,
  type ColumnCleaning,
  type ColumnStatistics,
  cleanTable,
  fitTable,
  type TableCell,
  type TableCleaning,
  type TableRow,
  type TableStatistics,
} from "./table.js";
