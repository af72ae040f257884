export { Clock, type ClockOptions, type SavedClock } from "./clock.js";
export {
  INTAKE_DEFAULTS,
  INTAKE_RULES,
  Intake,
  type IntakeCounts,
  type IntakeOptions,
  intakeShape,
  type SavedIntake,
} from "./intake.js";
export { DecisionNames, instanceName, newInstance, prefixOf } from "./names.js";
