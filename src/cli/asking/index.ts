export { type ModelsCommandOptions, models } from "./models.js";
