import { serveLog } from "../../storage/index.js";

await serveLog();
