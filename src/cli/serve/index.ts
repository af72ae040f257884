export { printed, type Resolved, resolved, SettingError } from "./resolve.js";
export { serveEdge } from "./serve.js";
export { flagOf, KEYS, type Setting, SETTINGS, valueOf, variableOf } from "./settings.js";
