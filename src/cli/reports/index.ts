export type { Bar, Curve } from "./charts.js";
export { amount, Progress, type ProgressStream, type Step } from "./progress.js";
export {
  type Calibration,
  type Listing,
  type Plot,
  type ReportContent,
  type ReportedRow,
  renderReport,
} from "./report.js";
export { sparkline, textBars } from "./terminal.js";
