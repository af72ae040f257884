/** The view of the same bits, and the page without its server. */
import type { Tab } from "./browser/tab.js";
import { inspect, type Pictures, require } from "./views.js";

/** The agents that are trained in the browser have the committed hashes. */
export async function checkBits(tab: Tab, url: string, pictures: Pictures): Promise<string> {
  await tab.open(`${url}/#bits`);
  await tab.click("Train and compare");
  await tab.until(`document.querySelectorAll(".same, .other").length === 3`, "three agents are trained");
  const report = await tab.evaluate<string>(`document.querySelector("textarea").value`);
  require((report.match(/: same$/gm) ?? []).length === 3, "the same bits", report);
  await tab.until(`byText("Train and compare") && !byText("Train and compare").disabled`);
  await inspect(tab, "bits", pictures);
  return "3 agents the same";
}

/** Waits until the page is kept for later. */
export async function keepOffline(tab: Tab, url: string): Promise<void> {
  await tab.open(`${url}/#control`);
  await tab.until(`navigator.serviceWorker.controller !== null`, "a service worker has the page");
}

/** Everything that the page does, it does without its server. */
export async function checkOffline(tab: Tab): Promise<string> {
  await tab.reload();
  await tab.click("Start");
  await tab.until(`figure("State") === "learned"`, "it learns without a server");
  await tab.evaluate(`location.hash = "#platform"`);
  await tab.until(`/[1-9]\\d* streams on air/.test(document.body.innerText)`, "a platform without a server");
  await tab.evaluate(`location.hash = "#bits"`);
  await tab.click("Train and compare");
  await tab.until(`document.querySelector(".same")`, "a comparison without a server");
  return "all views without the server";
}
