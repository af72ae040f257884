import { any, fields, list, mustBe, requireShape } from "../../../check/index.js";
import { type FeatureColumn, FeatureSet } from "../../../encoders/index.js";
import type { Id } from "../../../protocol/index.js";
import type { CatalogStream, Keeper, Rates, State, UserProfile, UserTraits } from "../../state/index.js";
import { type FeatureContext, type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { keepRates } from "./moments.js";

export interface ColumnOptions {
  /** Columns of the user's traits: age, gender, region, language, device. Default: none. */
  user?: readonly FeatureColumn[];
  /**
   * Columns of a stream: id, streamer, category, tags, title, viewers, ageMs, language, mature (1 or 0), joinRate,
   * commentRate, giftRate, likeRate and viewerTrend. Columns that must be fitted are those that `FeatureSet.save` gave after its `fit`;
   * running ones go on with every slate. Default: none.
   */
  stream?: readonly FeatureColumn[];
}

/** The fields that columns of a stream can read. */
interface StreamRecord {
  id: Id;
  streamer: Id;
  category: string;
  tags: readonly string[];
  title: string;
  viewers: number;
  ageMs: number;
  language: string | undefined;
  mature: number | undefined;
  joinRate: number | undefined;
  commentRate: number | undefined;
  giftRate: number | undefined;
  likeRate: number | undefined;
  viewerTrend: number | undefined;
}

const RATES = ["joinRate", "commentRate", "giftRate", "likeRate", "viewerTrend"];

/** A value of each kind: a column that cannot encode its field is refused before the first request. */
const SAMPLES = {
  user: { age: 30, gender: "f", region: "eu", language: "en", device: "tv" } satisfies Required<UserTraits>,
  stream: {
    id: "s",
    streamer: "ann",
    category: "chess",
    tags: ["blitz"],
    title: "Blitz",
    viewers: 1,
    ageMs: 1,
    language: "en",
    mature: 0,
    joinRate: 1,
    commentRate: 1,
    giftRate: 1,
    likeRate: 1,
    viewerTrend: -1,
  } satisfies StreamRecord,
} as const;

/**
 * Columns of your own choice, by the encodings of `liveq/encoders`: of the user for the observation, of a stream for
 * the candidates.
 *
 * Keeps the statistics of running columns, which every slate writes. Writes the width of each set.
 *
 * @throws TypeError or RangeError for columns that are invalid, not fitted, required, or write indices.
 */
export function columns(options: ColumnOptions): FeatureGroup {
  return featureGroup("columns", options, (context, given) =>
    context.state.keep("columns", () => new Columns(context, given)),
  );
}

function checkedSet(columns: readonly FeatureColumn[], of: "user" | "stream"): FeatureSet {
  const path = `columns.${of}`;
  const set = new FeatureSet(columns, path);
  // A missing value must not stop serving.
  const required = columns.findIndex((column) => column.optional === false);
  if (required >= 0) throw mustBe(`${path}.${required}.optional`, "true", false);
  if (set.unfitted.length > 0) throw mustBe(path, "fitted, as FeatureSet.save gives them", set.unfitted);
  if (set.sparse !== undefined) throw mustBe(path, "of columns that write numbers", "indices");
  set.write(SAMPLES[of], new Float32Array(set.width), 0);
  return set;
}

class Columns implements FeatureWriter, Keeper {
  readonly observation: number;
  readonly candidate: number;
  readonly #user: FeatureSet;
  readonly #stream: FeatureSet;
  readonly #state: State;
  /** Undefined where no column reads rates. */
  readonly #rates: Rates | undefined;
  #traits: UserTraits = {};
  #now = 0;
  readonly #record: StreamRecord = { ...SAMPLES.stream };

  constructor(context: FeatureContext, { user = [], stream = [] }: ColumnOptions) {
    this.#state = context.state;
    this.#user = checkedSet(user, "user");
    this.#stream = checkedSet(stream, "stream");
    this.observation = this.#user.width;
    this.candidate = this.#stream.width;
    if (stream.some(({ name }) => RATES.includes(name))) this.#rates = keepRates(context);
  }

  begin(_user: Id, { traits }: UserProfile, { now }: Moment): void {
    this.#traits = traits;
    this.#now = now;
  }

  writeObservation(row: Float32Array, offset: number): void {
    this.#user.write(this.#traits, row, offset);
  }

  writeCandidate(row: Float32Array, offset: number, stream: CatalogStream): void {
    this.#stream.write(this.#of(stream), row, offset);
  }

  feedback(): void {}

  /** Updates running columns. */
  shown(user: Id, slate: readonly CatalogStream[]): void {
    this.#user.learn(this.#state.users.get(user)?.traits ?? {});
    if (this.candidate > 0) for (const stream of slate) this.#stream.learn(this.#of(stream));
  }

  save(): Required<ColumnOptions> {
    return { user: this.#user.save(), stream: this.#stream.save() };
  }

  load(saved: unknown): void {
    requireShape(fields<ColumnOptions>({ user: list(any), stream: list(any) }), saved, "columns");
    const { user, stream } = saved as Required<ColumnOptions>;
    this.#user.load(user);
    this.#stream.load(stream);
  }

  /** One record for all streams: rows are written without allocating. */
  #of(stream: CatalogStream): StreamRecord {
    const record = this.#record;
    const now = this.#now;
    const { index, startedAt } = stream;
    const rates = this.#rates;
    record.id = stream.id;
    record.streamer = stream.streamer;
    record.category = stream.category;
    record.tags = stream.tags;
    record.title = stream.title;
    record.viewers = stream.viewers;
    record.ageMs = Math.max(now - startedAt, 0);
    record.language = stream.language;
    record.mature = stream.mature === undefined ? undefined : Number(stream.mature);
    record.joinRate = rates?.rate(index, "join", startedAt, now);
    record.commentRate = rates?.rate(index, "comment", startedAt, now);
    record.giftRate = rates?.rate(index, "gift", startedAt, now);
    record.likeRate = rates?.rate(index, "like", startedAt, now);
    record.viewerTrend = rates?.trend(index, now);
    return record;
  }
}
