import { hashes } from "./fixed.js";

addEventListener("message", async () => {
  for await (const each of hashes()) postMessage(each);
  postMessage(undefined);
});
