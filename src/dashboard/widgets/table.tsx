import type { ComponentChildren } from "preact";

/** A cell: a text, or what stands in it. */
export type Cell = ComponentChildren;

export interface TableProps {
  /** Titles of the columns; those of numbers stand to the right. Without titles there is no head. */
  readonly head?: readonly string[];
  readonly numbers?: readonly number[];
  /** What stands above it, small. */
  readonly caption?: string;
  /** By their keys, which are also the rows' `data-key`. */
  readonly rows: readonly (readonly [key: string | number, cells: readonly Cell[]])[];
}

/** Rows of texts and numbers; wider ones than the screen are moved in their box. */
export function Table({ head, numbers = [], caption, rows }: TableProps) {
  const kind = (i: number) => (numbers.includes(i) ? "number" : "");
  return (
    <table>
      {caption !== undefined && <caption class="hint">{caption}</caption>}
      {head !== undefined && (
        <thead>
          <tr>
            {head.map((title, i) => (
              <th key={title} scope="col" class={kind(i)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {rows.map(([key, cells]) => (
          <tr key={key} data-key={key}>
            {cells.map((cell, i) => (
              // Cells have no other name than their place.
              <td key={head?.[i] ?? i} class={kind(i)}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
