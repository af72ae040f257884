export { Album, type AlbumPicture } from "./album.js";
export { Latest } from "./latest.js";
export { pairKey } from "./pair.js";
export { type Picture, Pictures } from "./pictures.js";
export { PriorityQueue, type Timed } from "./priorityqueue.js";
export { type Key, Seen } from "./seen.js";
export { SortedList } from "./sortedlist.js";
