import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { chooseTheme, keptTheme, paint, THEMES, type Theme } from "./theme.js";

/** One page of several, by the part of the address behind "#". */
export interface View {
  readonly name: string;
  readonly title: string;
}

/** The address behind "#": the name of a view, and settings. */
export interface Place {
  readonly view: string;
  readonly settings: URLSearchParams;
}

function placeOf(hash: string): Place {
  const [view = "", query = ""] = hash.replace(/^#/, "").split("?");
  return { view, settings: new URLSearchParams(query) };
}

/** Where the page is; follows links, and back and forward. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}

/** Keeps settings in the address, so that it can be sent to others; adds no step to the history. */
export function keepSettings(view: string, settings: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(settings).toString();
  history.replaceState(null, "", `#${view}${query === "" ? "" : `?${query}`}`);
}

function ThemeChoice() {
  const [theme, setTheme] = useState(keptTheme);
  useLayoutEffect(() => paint(theme), []);
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <select aria-label="Colours" value={theme} onChange={(event) => choose(event.currentTarget.value as Theme)}>
      {THEMES.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

/** Another page, relative to this one. */
export interface Link {
  readonly href: string;
  readonly title: string;
}

interface ShellProps {
  readonly title: string;
  readonly views: readonly View[];
  readonly current: string;
  /** Pages beside this one. Default: none. */
  readonly links?: readonly Link[];
  readonly children: ComponentChildren;
}

/** What stands around every view: the title, the way to the others and to other pages, the colours. */
export function Shell(props: ShellProps) {
  return (
    <div class="page">
      <header class="bar">
        <h1>{props.title}</h1>
        <nav class="tabs" aria-label="Views">
          {props.views.map(({ name, title }) => (
            <a key={name} href={`#${name}`} {...(name === props.current && { "aria-current": "page" as const })}>
              {title}
            </a>
          ))}
        </nav>
        <span class="row push">
          {props.links?.map(({ href, title }) => (
            <a key={href} href={href}>
              {title}
            </a>
          ))}
          <ThemeChoice />
        </span>
      </header>
      <main>{props.children}</main>
    </div>
  );
}
