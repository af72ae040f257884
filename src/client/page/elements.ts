import type { Id } from "../../protocol/index.js";

/** What an element says of itself by its attributes. */
export interface Marked {
  readonly stream: Id;
  readonly decision: Id | undefined;
  readonly position: number | undefined;
}

export const MARK = "data-liveq-stream";
const DECISION = "data-liveq-decision";
const POSITION = "data-liveq-position";
export const ATTRIBUTES = [MARK, DECISION, POSITION];

/** An element's stream and place; its decision may stand at any element around it. undefined without a stream. */
export function markedBy(element: Element): Marked | undefined {
  const stream = element.getAttribute(MARK);
  if (stream === null || stream === "") return undefined;
  const position = Number(element.getAttribute(POSITION) ?? Number.NaN);
  return {
    stream,
    decision: element.closest(`[${DECISION}]`)?.getAttribute(DECISION) || undefined,
    position: Number.isSafeInteger(position) && position >= 0 ? position : undefined,
  };
}

export function isSame(a: Marked, b: Marked): boolean {
  return a.stream === b.stream && a.decision === b.decision && a.position === b.position;
}

/** Players among marked elements: all others are cards, which lead to one. */
export function isMedia(element: Element): element is HTMLMediaElement {
  return element.localName === "video" || element.localName === "audio";
}

/** The card that a click means, also inside of custom elements. */
export function cardOf(event: Event): Element | undefined {
  for (const target of event.composedPath()) {
    if (!(target instanceof Element)) continue;
    if (target.hasAttribute("data-liveq-ignore")) return undefined;
    if (target.hasAttribute(MARK)) return isMedia(target) ? undefined : target;
  }
  return undefined;
}
