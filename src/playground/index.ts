import { h, render } from "preact";
import { App } from "./app.js";

const root = document.getElementById("app")!;
root.replaceChildren();
render(h(App, {}), root);
if ("serviceWorker" in navigator && !import.meta.url.startsWith("blob:")) {
  // Without it the page works as well, but not offline.
  navigator.serviceWorker.register("offline.js").catch(() => undefined);
}
