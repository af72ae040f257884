export { ByteReader, ByteWriter, short } from "./bytes.js";
export { Directory, type Listing } from "./directory.js";
export { DEAD, Names } from "./names.js";
export { newId, PackedMap } from "./packedmap.js";
export { entriesPart, entriesReader, fault, framedPart, framedReader, jsonOf, requireNew, wordsIn } from "./parts.js";
export {
  type Column,
  count,
  type RecordContents,
  RecordReader,
  RecordWriter,
  real,
  referTo,
  shortSum,
  type Table,
  time,
} from "./record.js";
export { doubleRows, doubles, floatRows, type NumberRows, words } from "./rows.js";
export { Slabs } from "./slabs.js";
