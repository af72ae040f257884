/** A picture of something that goes on changing: it is told of each change before it happens. */
export interface Picture {
  /** Whether the picture is still needed. */
  readonly isOpen: boolean;
}

/** The pictures that are needed. One that was lost without being closed is collected, with all that it keeps. */
export class Pictures<P extends Picture> {
  #all: WeakRef<P>[] = [];

  add(picture: P): void {
    this.#all.push(new WeakRef(picture));
  }

  /** Tells all of them. Costs nothing where there are none. */
  tell(change: (picture: P) => void): void {
    if (this.#all.length === 0) return;
    this.#all = this.#all.filter((each) => {
      const picture = each.deref();
      if (picture?.isOpen) change(picture);
      return picture?.isOpen;
    });
  }
}
