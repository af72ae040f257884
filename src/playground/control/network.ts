import type { LayerWeights } from "../../engine/index.js";
import { fitted, type Ink } from "./drawing.js";

/** The heaviest connections of a layer that are drawn. */
const EDGES = 160;
/** The most units of a layer that are drawn: those evenly spread. */
const UNITS = 40;
const HEIGHT = 260;

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** A layer's heaviest weights, the heaviest last. */
export function heaviest(
  { inputs, outputs, weight }: Pick<LayerWeights, "inputs" | "outputs" | "weight">,
  n = EDGES,
): Edge[] {
  const places = Array.from({ length: inputs * outputs }, (_, i) => i);
  places.sort((a, b) => Math.abs(weight[b]!) - Math.abs(weight[a]!));
  return places
    .slice(0, n)
    .reverse()
    .map((i) => ({ from: i % inputs, to: Math.floor(i / inputs), weight: weight[i]! }));
}

/** Draws the layers from left to right: units as points, their heaviest connections as lines, by sign and size. */
export function drawNetwork(canvas: HTMLCanvasElement, layers: readonly LayerWeights[], ink: Ink): void {
  const context = fitted(canvas, HEIGHT);
  const main = layers.filter(({ name }) => !name.startsWith("value."));
  const widths = [main[0]!.inputs, ...main.map(({ outputs }) => outputs)];
  const xOf = (l: number) => 16 + (l / (widths.length - 1)) * (canvas.clientWidth - 32);
  const yOf = (l: number, unit: number) => ((unit + 0.5) / widths[l]!) * HEIGHT;
  for (const [l, layer] of main.entries()) {
    const edges = heaviest(layer);
    const most = Math.abs(edges.at(-1)?.weight ?? 1) || 1;
    for (const { from, to, weight } of edges) {
      context.globalAlpha = 0.1 + 0.7 * (Math.abs(weight) / most);
      context.strokeStyle = weight > 0 ? ink.accent : ink.second;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(xOf(l), yOf(l, from));
      context.lineTo(xOf(l + 1), yOf(l + 1, to));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
  context.fillStyle = ink.text;
  for (const [l, width] of widths.entries()) {
    const step = Math.max(1, width / UNITS);
    for (let unit = 0; unit < width; unit += step) {
      context.beginPath();
      context.arc(xOf(l), yOf(l, Math.floor(unit)), width > 12 ? 1.5 : 3.5, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
