import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { format } from "./format.js";
import { colourOf, onColours } from "./theme.js";

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** As many as the chart has places; null where nothing is known. */
  readonly values: readonly (number | null)[];
  /** Bounds of an interval around it, drawn as a band. */
  readonly band?: { readonly lo: readonly (number | null)[]; readonly hi: readonly (number | null)[] };
}

export interface LineChartProps {
  readonly title: string;
  /** What stands under the chart's horizontal axis. */
  readonly x: { readonly label: string; readonly values: readonly number[] };
  readonly lines: readonly Line[];
  /** CSS pixels. Default 180. */
  readonly height?: number;
}

/** With an opacity. */
function faded(colour: string, alpha: number): string {
  return colour.replace(/^rgb\((.*)\)$/, (_, parts) => `rgba(${parts}, ${alpha})`);
}

/** Steps between ticks of an axis of days or steps: no part of one. */
const WHOLE = [...Array(10).keys()].flatMap((digits) => [1, 2, 5].map((first) => Number(`${first}e${digits}`)));

function optionsOf(box: HTMLElement, { x, lines, height = 180 }: LineChartProps): uPlot.Options {
  const quiet = colourOf("quiet");
  const axis = { stroke: quiet, grid: { stroke: colourOf("line"), width: 1 }, ticks: { show: false } };
  const values = (_: uPlot, ticks: number[]) => ticks.map(format);
  const isWhole = x.values.every(Number.isInteger);
  // A line of one place is none: its place is shown.
  const show = (plot: uPlot) => plot.data[0].length < 2;
  const series: uPlot.Series[] = [{ label: x.label }];
  const bands: uPlot.Band[] = [];
  for (const [i, line] of lines.entries()) {
    const name = `series-${1 + (i % 4)}`;
    const value = (_: uPlot, y: number | null) => (y === null ? "" : format(y));
    series.push({
      label: line.label,
      stroke: colourOf(name),
      width: 2,
      spanGaps: true,
      points: { show },
      value,
    });
    if (line.band === undefined) continue;
    const edge: uPlot.Series = { stroke: "transparent", points: { show: false }, spanGaps: true };
    series.push(edge, edge);
    bands.push({ series: [series.length - 1, series.length - 2], fill: faded(colourOf(name), 0.18) });
  }
  return {
    width: Math.max(box.clientWidth, 100),
    height,
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28, values, ...(isWhole && { incrs: WHOLE }) },
      { ...axis, size: 52, values },
    ],
    cursor: { drag: { x: false, y: false } },
    legend: { show: false },
    series,
    bands,
  };
}

function dataOf({ x, lines }: LineChartProps): uPlot.AlignedData {
  const columns = lines.flatMap(({ values, band }) => (band ? [values, band.lo, band.hi] : [values]));
  return [x.values, ...columns] as unknown as uPlot.AlignedData;
}

/** The newest value of each line, for those who do not see the picture. */
function summary({ title, x, lines }: LineChartProps): string {
  const last = lines.map(({ label, values }) => {
    const value = values.filter((one) => one !== null && Number.isFinite(one)).at(-1);
    return `${label} ${value === undefined ? "unknown" : format(value!)}`;
  });
  const at = x.values.at(-1);
  return `${title}${at === undefined ? "" : `, at ${x.label} ${format(at)}`}: ${last.join(", ")}`;
}

/** Lines over a common axis, with a legend of text and intervals as bands; takes the width that there is. */
export function LineChart(props: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<{ chart: uPlot; shape: string } | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const shape = props.lines.map(({ label, band }) => `${label}${band ? "+" : ""}`).join();
  useEffect(() => {
    const element = box.current!;
    const draw = () => {
      plot.current?.chart.destroy();
      const chart = new uPlot(optionsOf(element, latest.current), dataOf(latest.current), element);
      plot.current = { chart, shape };
    };
    // Each in a task of its own: a view with many charts would hold up the page.
    const first = setTimeout(draw);
    const size = new ResizeObserver(() => {
      const width = Math.max(element.clientWidth, 100);
      if (plot.current && plot.current.chart.width !== width)
        plot.current.chart.setSize({ width, height: props.height ?? 180 });
    });
    size.observe(element);
    const forget = onColours(draw);
    return () => {
      clearTimeout(first);
      size.disconnect();
      forget();
      plot.current?.chart.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.chart.setData(dataOf(props)), [props.x.values, props.x.values.length, props.lines]);
  return (
    <figure class="chart">
      <figcaption class="row">
        <strong>{props.title}</strong>
        {props.lines.map(({ label }, i) => (
          <span key={label}>
            <i class={`swatch swatch-${1 + (i % 4)}`} />
            {label}
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={summary(props)} />
    </figure>
  );
}
