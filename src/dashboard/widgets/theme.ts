/** Calls back whenever the colours of the page become others, by the reader's choice or the system's; returns how to stop. */
export function onColours(draw: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  const chosen = new MutationObserver(draw);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    chosen.disconnect();
    dark.removeEventListener("change", draw);
  };
}
