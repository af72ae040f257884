export { assigned } from "./agents.js";
export { type Desk, type TrainEnvironmentOptions, trainEnvironment } from "./trainenvironment.js";
