export { Latest } from "./latest.js";
export { pairKey } from "./pair.js";
export { PriorityQueue, type Timed } from "./priorityqueue.js";
export { SortedList } from "./sortedlist.js";
