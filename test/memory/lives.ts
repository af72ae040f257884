/** The life of an agent whose memory is watched: in the module as it ships, or with a placed arena. */
import { createHash } from "node:crypto";
import { Flag, Normalization, Region, Scalar, Stat, Status } from "../../assembly/abi.js";
import { Pcg32 } from "../reference/rng.js";
import {
  boundsOf,
  CAPACITY,
  type Case,
  feed,
  learn,
  rowOf,
  scalarsOf,
  sigmaOf,
  sizesOf,
  storedOf,
  words,
} from "../support/cases.js";
import { createAgent, type Kernels } from "../support/kernels.js";
import { PlacedArena } from "./arena.js";

/** Sizes beside those of the case. */
export interface Sizes {
  Batch: number;
  Capacity: number;
  NStep: number;
  Environments: number;
  MaxCandidates: number;
  NextCandidates: number;
}

/** Batches of 4 leave no rows to spare. Sets are staged among MaxCandidates, and kept among NextCandidates. */
export const SIZES: readonly Sizes[] = [
  { Batch: 4, Capacity: 11, NStep: 3, Environments: 2, MaxCandidates: 9, NextCandidates: 5 },
  { Batch: 5, Capacity: 300, NStep: 1, Environments: 3, MaxCandidates: 8, NextCandidates: 8 },
  { Batch: 1, Capacity: 2, NStep: 2, Environments: 1, MaxCandidates: 6, NextCandidates: 5 },
  { Batch: 8, Capacity: 17, NStep: 1, Environments: 1, MaxCandidates: 5, NextCandidates: 13 },
];

/** The sizes of an agent in full; a batch of one row has no variance. */
function allSizes(given: Case, sizes: Sizes) {
  const all = { ...sizesOf(given), ...sizes };
  if (given.actions) Object.assign(all, { MaxCandidates: 0, NextCandidates: 0 });
  if (given.normalization === Normalization.Batch) all.Batch = Math.max(2, all.Batch);
  return all;
}

/** An agent must accept a file that it has written itself. */
function requireOk(name: string, status: Status): void {
  if (status !== Status.Ok) throw new Error(`${name} answered ${status}`);
}

/** An agent and how its tensors are reached, whatever lies between them. */
interface Host {
  exports: Kernels;
  /** Those that a snapshot holds. */
  persistent(): Uint8Array[];
}

/** One agent, driven by made-up calls. */
export class Life {
  readonly #hash = createHash("sha256");
  readonly #given: Case;
  readonly #sizes: ReturnType<typeof allSizes>;
  readonly #host: Host;
  readonly #rng: Pcg32;
  #steps = 0;

  constructor(host: Host, given: Case, sizes: Sizes, seed = 1n) {
    this.#host = host;
    this.#given = given;
    this.#sizes = allSizes(given, sizes);
    this.#rng = Pcg32.seeded(seed, 9n);
  }

  begin(): this {
    const { hidden } = this.#given;
    const noise = sigmaOf(this.#given);
    requireOk("create", createAgent(this.#host.exports, this.#sizes, hidden, noise, boundsOf(this.#given)));
    scalarsOf(this.#host.exports)[Scalar.FrozenUnits] = 0;
    return this;
  }

  /** Everything that was answered so far, and all that persists. */
  digest(): string {
    for (const bytes of this.#host.persistent()) this.#hash.update(bytes);
    return this.#hash.copy().digest("hex");
  }

  live(calls: number): this {
    for (let i = 0; i < calls; i++) this.#call(this.#rng.below(16));
    return this;
  }

  /** Goes on with the memory of another agent of the same options. */
  take(tensors: readonly Uint8Array[]): this {
    this.#host.persistent().forEach((bytes, i) => void bytes.set(tensors[i]!));
    requireOk("restore", this.#host.exports.restore());
    return this;
  }

  #f32 = (region: Region): Float32Array => {
    const { exports } = this.#host;
    return new Float32Array(exports.memory.buffer, exports.region(region), exports.regionBytes(region) >> 2);
  };

  #answer(...numbers: number[]): void {
    this.#hash.update(Float64Array.from(numbers));
  }

  #call(kind: number): void {
    const { exports } = this.#host;
    if (kind < 8) this.#observe();
    else if (kind < 10) this.#learn();
    else if (kind < 12) this.#act();
    else if (kind === 12) {
      exports.unpackWeights();
      const gradient = this.#f32(Region.Gradient);
      this.#hash.update(new Uint8Array(gradient.buffer, gradient.byteOffset, 64));
      if (this.#given.normalization !== Normalization.Batch) exports.packWeights();
      gradient.fill(0);
    } else if (kind === 13) {
      exports.syncTarget(0.5);
      requireOk("checkWeights", exports.checkWeights());
    } else if (kind === 14) {
      exports.abandon(this.#rng.below(this.#sizes.Environments));
    } else requireOk("restore", exports.restore());
  }

  #observe(): void {
    const { exports } = this.#host;
    const { MaxCandidates, NextCandidates } = this.#sizes;
    const most = Math.min(MaxCandidates, NextCandidates);
    const step = storedOf(this.#rng.below(CAPACITY), this.#given, most, NextCandidates);
    const environment = this.#rng.below(this.#sizes.Environments);
    if (this.#rng.below(3) === 0) {
      // Nothing is available next.
      step.nextSet = [];
      step.nextMask.fill(false);
    }
    this.#steps++;
    if (this.#steps % 7 === 0)
      step.observation = { ...step.observation, staged: step.observation.staged.map(() => Number.NaN) };
    this.#answer(feed(exports, this.#f32, this.#given, step, this.#rng.below(4) === 0, environment));
  }

  #learn(): void {
    const { exports } = this.#host;
    const loss = learn(exports, this.#given, 1 + this.#rng.below(2), this.#rng.below(2) / 2, 0.1);
    this.#answer(loss, ...new Float64Array(exports.memory.buffer, exports.region(Region.Stats), Stat.Count));
    if (Number.isNaN(loss)) return;
    for (const region of [Region.TdErrors, Region.Sampled, Region.Predictions]) {
      this.#hash.update(new Uint8Array(exports.memory.buffer, exports.region(region), exports.regionBytes(region)));
    }
  }

  #act(): void {
    const { exports } = this.#host;
    const { features = [0], actions = 0, observation, flags = 0, slate = 0 } = this.#given;
    const count = actions ? 0 : this.#rng.below(this.#sizes.MaxCandidates + 1);
    const seed = this.#rng.below(1000);
    this.#f32(Region.Observation).set(rowOf(observation, seed).staged);
    for (let i = 0; i < count; i++) {
      this.#f32(Region.Candidates).set(rowOf(features, seed + i).staged, i * words(features));
    }
    const mask = new Uint8Array(exports.memory.buffer, exports.region(Region.Mask), actions);
    const isMasked = (flags & Flag.Masked) !== 0;
    for (let a = 0; a < actions; a++) mask[a] = Number(!isMasked || this.#rng.below(3) > 0);
    scalarsOf(exports)[Scalar.Exploration] = this.#rng.below(3) / 2;
    const isExploring = this.#rng.below(2) === 1;
    this.#answer(slate ? exports.actSlate(count, isExploring) : exports.act(count, isExploring));
    this.#answer(exports.evaluate(count, this.#rng.below(2) === 1));
    this.#answer(...this.#f32(Region.Values).subarray(0, actions || count));
    if (slate) this.#answer(...this.#f32(Region.Choices).subarray(0, count), this.#f32(Region.Nothing)[0]!);
  }
}

/** The host of a placed arena whose agent has `persistent` tensors that a snapshot holds. */
export const placedHost = (arena: PlacedArena, persistent: number): Host => ({
  exports: arena.exports,
  persistent: () => Array.from({ length: persistent }, (_, i) => arena.bytesOf(i)),
});

/** The host of the shipped module; tensors lie one after the other, each at a multiple of 64. */
export function plainHost(module: WebAssembly.Module, bytesOf: readonly number[]): Host {
  const exports = new WebAssembly.Instance(module).exports as unknown as Kernels;
  return {
    exports,
    persistent: () => {
      let at = exports.region(Region.Persistent);
      return bytesOf.map((bytes) => {
        const tensor = new Uint8Array(exports.memory.buffer, at, bytes);
        at += (bytes + 63) & ~63;
        return tensor;
      });
    },
  };
}

/** Rows are staged here: where numbers are packed, vectors that begin in them end behind them. */
const STAGED = [Region.Observation, Region.NextObservation, Region.Candidates, Region.Candidate, Region.NextCandidates];

/** The tensors of a case: how many a snapshot holds, which has the figures, their bytes, and those behind each that may be read. */
export interface Tensors {
  persistent: number;
  figures: number;
  bytes: number[];
  behind: number[];
  structBytes: number;
}

export function planOf(given: Case, sizes: Sizes): Tensors {
  const arena = new PlacedArena("dqn", { poison: 0, isChecked: false });
  const { exports } = new Life(placedHost(arena, 0), given, sizes).begin() && arena;
  const end = exports.region(Region.Persistent) + exports.regionBytes(Region.Persistent);
  const staged = STAGED.map((region) => exports.region(region));
  const isPacked = (given.storage ?? "f32") !== "f32";
  return {
    persistent: arena.tensors.filter(({ at }) => at < end).length,
    figures: arena.tensors.findIndex(({ at }) => at === exports.region(Region.Stats)),
    bytes: arena.tensors.map(({ bytes }) => bytes),
    // With slates, candidates are staged behind a row of zeros for nothing.
    behind: arena.tensors.map(({ at, bytes }) => {
      const isStaged = staged.some((address) => address >= at && address < at + bytes);
      return isPacked && isStaged ? 12 : 0;
    }),
    structBytes: arena.structs.reduce((sum, { bytes }) => sum + ((bytes + 15) & ~15), 16),
  };
}
