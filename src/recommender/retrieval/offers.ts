import { Latest } from "../../collections/index.js";
import type { Id, LiveEvent, Request } from "../../protocol/index.js";
import { type CatalogStream, Catalogue, type KnownStream } from "../state/index.js";
import { Gate } from "./gate.js";

/** Users whose visits are remembered, and streamers of each. */
const USERS = 50_000;
const STREAMERS = 64;
const NONE: readonly LiveEvent[] = [];

/**
 * The streams that a request may show, for policies without a recommender's state: those on air that pass its filter.
 * Every event goes in.
 */
export class Offers {
  readonly catalogue = new Catalogue();
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
