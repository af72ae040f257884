export { Latest } from "./latest.js";
export { pairKey } from "./pair.js";
export { Agenda, type Timed } from "./priorityqueue.js";
export { Recent } from "./recent.js";
export { Order } from "./sortedlist.js";
