/** Runs in every page of the site: its colours before it is painted, and where they are chosen. */
import { chooseTheme, keptTheme, paint, THEMES } from "../dashboard/widgets/theme.ts";

paint(keptTheme());

addEventListener("DOMContentLoaded", () => {
  const choice = document.createElement("select");
  choice.className = "colours";
  choice.setAttribute("aria-label", "Colours");
  choice.append(...THEMES.map((theme) => new Option(theme)));
  choice.value = keptTheme();
  choice.addEventListener("change", () => chooseTheme(choice.value));
  document.querySelector(".top .menu").before(choice);
});
