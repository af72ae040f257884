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

const known = new Map<string, string>();
let isFollowed = false;

/** A colour of the style sheet as it is now; reading one makes the browser lay out the page, so it is read once. */
export function colourOf(name: string): string {
  if (!isFollowed) onColours(() => known.clear());
  isFollowed = true;
  const before = known.get(name);
  if (before !== undefined) return before;
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  known.set(name, value);
  return value;
}
