import { type Link, Shell, usePlace, type View } from "../dashboard/index.js";
import { BitsView } from "./bits/bits.js";
import { ControlView } from "./control/control.js";
import { PlatformView } from "./platform/platform.js";

const VIEWS: readonly View[] = [
  { name: "control", title: "Control" },
  { name: "platform", title: "Live platform" },
  { name: "bits", title: "Same bits" },
];

/** Where it stands below something else: on a server below the dashboard, on the site below the guides. */
const ABOVE: readonly Link[] = /\/playground\/(index\.html)?$/.test(location.pathname)
  ? [{ href: "../index.html", title: "LiveQ" }]
  : [];

/** The playground: one view at a time, by the address. */
export function App() {
  const { view, settings } = usePlace();
  const current = VIEWS.some(({ name }) => name === view) ? view : "control";
  return (
    <Shell title="LiveQ playground" views={VIEWS} current={current} links={ABOVE}>
      {current === "control" && <ControlView place={settings} />}
      {current === "platform" && <PlatformView />}
      {current === "bits" && <BitsView />}
    </Shell>
  );
}
