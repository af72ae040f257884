import { Catalog, type CatalogStream } from "../catalog.js";
import type { LiveEvent } from "../events.js";
import type { Decision, Policy, Request } from "../policy.js";

/** Whether `a` stands before `b`: more viewers, then the lower index. */
function before(a: CatalogStream, b: CatalogStream): boolean {
  return a.viewers === b.viewers ? a.index < b.index : a.viewers > b.viewers;
}

/** Shows what most people watch now, by the last `update` of each stream; the same to everybody. */
export class PopularPolicy implements Policy {
  readonly name = "popular";
  readonly #catalog = new Catalog();
  #decisions = 0;

  recommend(request: Request): Decision {
    const top: CatalogStream[] = [];
    for (const stream of this.#catalog.among(request.candidates)) {
      if (top.length === request.k && !before(stream, top[top.length - 1]!)) continue;
      if (top.length === request.k) top.pop();
      let place = top.length;
      while (place > 0 && before(stream, top[place - 1]!)) place--;
      top.splice(place, 0, stream);
    }
    return {
      id: `popular-${this.#decisions++}`,
      user: request.user,
      time: request.now,
      slate: top.map((stream) => stream.id),
      propensities: top.map(() => 1),
      scores: top.map((stream) => stream.viewers),
    };
  }

  feedback(event: LiveEvent): void {
    this.#catalog.feedback(event);
  }
}
