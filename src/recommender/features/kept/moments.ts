import type { Part } from "../../../engine/index.js";
import { type Id, MINUTE } from "../../../protocol/index.js";
import {
  type CatalogStream,
  type Fact,
  type Keeper,
  type NamedReader,
  Rates,
  type SavedRates,
  type State,
  type UserProfile,
} from "../../state/index.js";
import { type FeatureContext, type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { logScaled, squashed } from "../scale.js";

/** The rates of streams on air, kept once for all groups that read them. */
export function keepRates({ state }: FeatureContext): Rates {
  return state.keep("moments", () => new KeptRates(state)).rates;
}

/**
 * Current activity of a stream: clicks, comments, gifts and likes a minute, and the trend of its viewers.
 *
 * Keeps counts of the last minute for each stream on air, which clicks, comments, gifts, likes, follows and numbers of
 * viewers write: some 150 bytes a stream. Writes 10 numbers of a candidate; a number without any event is masked.
 */
export function moments(): FeatureGroup {
  return featureGroup("moments", {}, (context) => new MomentWriter(keepRates(context)));
}

class KeptRates implements Keeper {
  readonly rates = new Rates();
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
    state.catalogue.follow(this.rates);
  }

  feedback({ event, stream, now }: Fact): void {
    // A watch is no activity of the moment, and may be known only later.
    if (event.kind === "watch") return;
    this.rates.advance(now);
    // What is older than the window is none of its activity.
    if (!stream?.isOnAir || now - event.time > MINUTE) return;
    const { index } = stream as CatalogStream;
    if (event.kind === "update" && event.viewers !== undefined)
      this.rates.viewers(index, event.viewers, Math.min(event.time, now));
    if ("user" in event && "stream" in event) this.rates.add(index, event.kind, event.user, event.stream);
  }

  parts(name: string): Part[] {
    return [this.rates.part(name, this.#state.catalogue.size)];
  }

  readers(name: string): NamedReader[] {
    return [[name, this.rates.reader(name, () => this.#state.catalogue.size)]];
  }

  save(): SavedRates {
    return this.rates.save();
  }

  load(saved: unknown): void {
    this.rates.load(saved as SavedRates);
  }
}

class MomentWriter implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 10;
  readonly #rates: Rates;
  #now = 0;

  constructor(rates: Rates) {
    this.#rates = rates;
  }

  begin(_user: Id, _profile: UserProfile, { now }: Moment): void {
    this.#now = now;
  }

  writeCandidate(row: Float32Array, offset: number, { index, startedAt }: CatalogStream): void {
    const now = this.#now;
    row.fill(0, offset, offset + this.candidate);
    writeRate(row, offset, this.#rates.rate(index, "join", startedAt, now));
    writeRate(row, offset + 2, this.#rates.rate(index, "comment", startedAt, now));
    writeRate(row, offset + 4, this.#rates.rate(index, "gift", startedAt, now));
    writeRate(row, offset + 6, this.#rates.rate(index, "like", startedAt, now));
    const trend = this.#rates.trend(index, now);
    if (trend === undefined) return;
    row[offset + 8] = 1;
    row[offset + 9] = squashed(trend);
  }
}

function writeRate(row: Float32Array, offset: number, rate: number | undefined): void {
  if (rate === undefined) return;
  row[offset] = 1;
  row[offset + 1] = logScaled(Math.max(rate, 0), 3);
}
