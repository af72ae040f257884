export { printed, type Resolved, resolved, SettingError } from "./resolve.js";
export { serveEdge } from "./serve.js";
export { flagOf, KEYS, parsedBy, SETTINGS, type Setting, variableOf } from "./settings.js";
