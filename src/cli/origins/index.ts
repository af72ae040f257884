export { commitAround } from "./commit.js";
export { type DataDigest, digestsOf } from "./digest.js";
