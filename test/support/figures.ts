import type { Figure } from "../../src/statistics/tally.js";

/** The figure of a metric and a slice; throws where there is none. */
export function findFigure(figures: readonly Figure[], metric: string, slice = "all"): Figure {
  const found = figures.find((figure) => figure.metric === metric && figure.slice === slice);
  if (!found) throw new Error(`no figure ${metric} of ${slice}`);
  return found;
}

/** The value of the figure of a metric and a slice; NaN where there is none. */
export function figureOf(figures: readonly Figure[], metric: string, slice = "all"): number {
  return figures.find((figure) => figure.metric === metric && figure.slice === slice)?.value ?? Number.NaN;
}
