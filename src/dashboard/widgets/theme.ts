/** What a reader may choose: the system's colours, or always the same. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "liveq.theme";

/** What was chosen at an earlier visit; storage may be forbidden, and others may write there. */
export function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === kept) ?? "system";
  } catch {
    return "system";
  }
}

/** Gives the page its colours. */
export function paint(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
}

/** Gives the page its colours, now and at later visits. */
export function chooseTheme(theme: Theme): void {
  paint(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It lasts as long as the page.
  }
}

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
