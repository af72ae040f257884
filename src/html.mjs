/** HTML as reports write it, and the policy of pages, for the scripts that build pages and the site: plain Node runs them. */
import { tsImport } from "tsx/esm/api";

export const { escaped, htmlDocument } = await tsImport("./cli/reports/html.ts", import.meta.url);
export const { POLICY } = await tsImport("./cli/pages/policy.ts", import.meta.url);
