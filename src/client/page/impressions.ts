/** When an element counts as seen. */
export interface ImpressionOptions {
  /** Share of the element that must be in view, or of the view that it must fill. */
  impressionShare: number;
  /** Milliseconds without a break. */
  impressionMs: number;
}

/** Tells of elements that have been in view for a while, once each. */
export class Impressions {
  readonly #options: ImpressionOptions;
  readonly #seen: (element: Element) => void;
  readonly #observer: IntersectionObserver;
  /** Elements that are looked at, with the time-out of those in view. */
  readonly #waiting = new Map<Element, ReturnType<typeof setTimeout> | undefined>();
  /** Those in view, also of a hidden page. */
  readonly #inView = new Set<Element>();

  constructor(options: ImpressionOptions, seen: (element: Element) => void) {
    this.#options = options;
    this.#seen = seen;
    // An element larger than the view never shows a share of itself: steps on the way tell how much of the view it fills.
    const steps = Array.from({ length: 20 }, (_, i) => i / 20);
    this.#observer = new IntersectionObserver((entries) => this.#look(entries), {
      threshold: [...new Set([...steps, options.impressionShare, 1])].sort((a, b) => a - b),
    });
  }

  add(element: Element): void {
    this.#waiting.set(element, undefined);
    this.#observer.observe(element);
  }

  remove(element: Element): void {
    this.#observer.unobserve(element);
    clearTimeout(this.#waiting.get(element));
    this.#waiting.delete(element);
    this.#inView.delete(element);
  }

  /** The page was hidden, or is seen again. */
  look(): void {
    for (const element of this.#waiting.keys()) this.#start(element, this.#inView.has(element));
  }

  stop(): void {
    for (const element of [...this.#waiting.keys()]) this.remove(element);
    this.#observer.disconnect();
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    const { impressionShare } = this.#options;
    for (const { target, isIntersecting, intersectionRatio, intersectionRect, rootBounds } of entries) {
      const view = (rootBounds?.height ?? innerHeight) * (rootBounds?.width ?? innerWidth);
      const filled = view > 0 ? (intersectionRect.height * intersectionRect.width) / view : 0;
      const isInView = isIntersecting && (intersectionRatio >= impressionShare || filled >= impressionShare);
      if (isInView) this.#inView.add(target);
      else this.#inView.delete(target);
      this.#start(target, isInView);
    }
  }

  #start(element: Element, isInView: boolean): void {
    if (!this.#waiting.has(element)) return;
    const timer = this.#waiting.get(element);
    if (!isInView || document.visibilityState === "hidden") {
      clearTimeout(timer);
      this.#waiting.set(element, undefined);
    } else if (timer === undefined) {
      const pass = () => {
        this.remove(element);
        this.#seen(element);
      };
      this.#waiting.set(element, setTimeout(pass, this.#options.impressionMs));
    }
  }
}
