export type { Bar, Curve } from "./charts.js";
export {
  type Calibration,
  type Listing,
  type Plot,
  type ReportContent,
  type ReportedRow,
  renderReport,
} from "./report.js";
export { sparkline, textBars } from "./terminal.js";
