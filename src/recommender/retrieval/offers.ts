import { Latest } from "../../collections/index.js";
import { HOUR, type Id, type LiveEvent, type Request } from "../../protocol/index.js";
import { type CatalogStream, Catalogue, type KnownStream, Signs } from "../state/index.js";
import { Gate } from "./gate.js";

/** Users whose visits are remembered, and streamers of each. */
const USERS = 50_000;
const STREAMERS = 64;
const NONE: readonly LiveEvent[] = [];
/** Milliseconds that one event moves the present on at most, as far as it ends streams. */
const PACE = 12 * HOUR;

/**
 * The streams that a request may show, for policies without a recommender's state: those on air that pass its filter.
 * Every event goes in.
 */
export class Offers {
  readonly catalogue = new Catalogue();
  readonly #signs = new Signs();
  #present = Infinity;
  /** By user and streamer, when the user last entered or left. */
  readonly #visits = new Latest<Id, Latest<Id, number>>(USERS);

  /**
   * @param known - The result of `catalogue.find` for the event's stream, from a caller that has it.
   * @param now - The host's time, as for `Catalogue.feedback`. Default: the event's.
   * @returns Updates of the stream that came before its `on_air`, to be taken now.
   */
  feedback(event: LiveEvent, known?: KnownStream, now: number = event.time): readonly LiveEvent[] {
    if (event.kind !== "click" && event.kind !== "watch") return this.catalogue.feedback(event, known, now);
    const streamer = (known ?? this.catalogue.find(event.stream))?.streamer;
    if (streamer === undefined) return NONE;
    const visits = this.#visits.get(event.user) ?? new Latest<Id, number>(STREAMERS);
    visits.set(streamer, Math.max(visits.get(streamer) ?? 0, event.time));
    this.#visits.set(event.user, visits);
    return NONE;
  }

  /**
   * An event was taken: a sign of life of its stream. Streams without one for longer than a time are taken off, a few at
   * each event.
   */
  end(event: LiveEvent, now: number, timeoutMs: number): void {
    if (timeoutMs === 0) return;
    this.#present = Math.min(now, this.#present + PACE);
    if ("stream" in event && this.catalogue.has(event.stream)) this.#signs.add(event.stream, Math.min(event.time, now));
    for (const stream of this.#signs.overdue(this.#present - timeoutMs)) {
      if (this.catalogue.has(stream)) this.catalogue.feedback({ kind: "off_air", time: this.#present, stream });
    }
  }

  /** The streams that a request may show: its candidates in their order, else all on air. Do not keep it across events. */
  among({ user, now, candidates, filter }: Request): readonly CatalogStream[] {
    const streams = this.catalogue.among(candidates);
    // Most requests: nothing is to be left out.
    if (filter === undefined && this.catalogue.of(user).size === 0) return streams;
    const visits = this.#visits.get(user);
    const lastVisit = (streamer: Id) => visits?.get(streamer) ?? Number.NEGATIVE_INFINITY;
    const gate = new Gate(filter ?? {}, { user, lastVisit });
    return streams.filter((stream) => gate.passes(stream, now));
  }
}
