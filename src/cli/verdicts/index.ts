export { ValuingTeacher } from "./learned.js";
export { LoggedReturns } from "./logged.js";
export {
  calibrationOf,
  calibrationOfWorlds,
  type Discount,
  returnFigures,
  valuedBy,
  valuesOfWorld,
} from "./returns.js";
export { adviceOf, dataOf, gainOf, type Learned, type Paired, unsupported, verdict } from "./verdict.js";
