/** The door of the int8 module: one serving network in an instance. Pointers are unsigned: read them as `x >>> 0`. */
import { Status, Storage } from "../abi";
import { Arena, arenaAt, LIMIT } from "../arena";
import { inputsAreValid } from "../storage";
import { best as bestOf, packBits } from "../values";
import { ABI_VERSION, PARAMETER_MAX, Region, Size, Vector } from "./abi";
import { valuesOfCandidates, valuesOfRows } from "./forward";
import {
  bytesAt,
  hasCandidates,
  Layer,
  layerAt,
  layersOf,
  layOut,
  Net,
  placeOf,
  regionAt,
  regionBytes as bytesOf,
} from "./plan";

let net: Net = changetype<Net>(0);
let needed: u64 = 0;

/** The ABI this module was built for. */
export function abi(): i32 {
  return ABI_VERSION;
}

/** Where the sizes go before create: i32 (Size.Widths + MAX_HIDDEN), see Size. */
export function sizes(): usize {
  return SIZES;
}

const SIZES: usize = memory.data(96, 16);

/**
 * Lays out the one network of this instance and takes its memory; all parameters are 0. storage, low, high: of dense
 * numbers. Requires sizes as src/engine/options.ts holds them.
 */
export function create(storage: Storage, low: f32, high: f32): Status {
  const arena = arenaAt(__heap_base);
  const planned = layOut(arena, SIZES, storage, low, high);
  needed = arena.top;
  if (needed > LIMIT) return Status.TooLarge;
  const pages = i32((arena.top + 65535) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) return Status.OutOfMemory;
  net = planned;
  return Status.Ok;
}

/** Bytes that the last create laid out, also where it answered TooLarge. */
export function neededBytes(): f64 {
  return f64(needed);
}

/** The address of a region; see Region. */
export function region(id: Region): usize {
  return regionAt(net, id);
}

/** Its size in bytes. */
export function regionBytes(id: Region): usize {
  return bytesOf(net, id, load<i32>(SIZES + (Size.MaxCandidates << 2)));
}

/** The address of a vector of layer l. */
export function place(l: i32, vector: Vector): usize {
  return placeOf(layerAt(net, l), vector);
}

/** Its size in bytes; 0 where there is none. */
export function placeBytes(l: i32, vector: Vector): usize {
  return bytesAt(layerAt(net, l), vector);
}

/** The largest quantised input of layer l. */
export function most(l: i32): i32 {
  return i32(layerAt(net, l).most);
}

/** Values of the staged observation and of `count` staged candidates, or for all actions. */
export function evaluate(count: i32): Status {
  if (!inputsAreValid(net.observation, 1, net.inputs)) return Status.BadObservation;
  if (!inputsAreValid(net.features, count, net.candidates)) return Status.BadCandidate;
  if (hasCandidates(net)) valuesOfCandidates(net, count);
  else valuesOfRows(net, 1, net.inputs);
  return Status.Ok;
}

/** Values of all actions in `rows` staged observations, 0 < rows <= ROWS. */
export function evaluateRows(rows: i32): Status {
  if (!inputsAreValid(net.observation, rows, net.states)) return Status.BadObservation;
  valuesOfRows(net, rows, net.states);
  return Status.Ok;
}

/** The best of `count` candidates, or of the actions, that evaluate valued last; -1 where none is available. */
export function best(count: i32, isMasked: bool): i32 {
  const c = hasCandidates(net) ? count : net.actions;
  if (!isMasked) return bestOf(c, net.values, 0);
  packBits(c, net.mask, net.bits);
  // What is not available must not win.
  let chosen = -1;
  let most: f32 = 0;
  for (let a = 0; a < c; a++) {
    if (!load<u8>(net.mask + a)) continue;
    const q = load<f32>(net.values + (usize(a) << 2));
    if (chosen >= 0 && !(q > most)) continue;
    chosen = a;
    most = q;
  }
  return chosen;
}

/** Whether number i of a vector is no padding. */
function isReal(layer: Layer, vector: Vector, isFirst: bool, i: i32): bool {
  if (vector > Vector.CandidateInverse) return i < layer.outputs;
  if (!isFirst) return true;
  const isSeen = vector == Vector.Inverse;
  const own = (isSeen ? layer.k : layer.candidateK) / layer.digits;
  const dense = isSeen ? net.observation.dense : net.features.dense;
  return i % own < dense;
}

/** Whether all parameters in f32 lie in their bounds, and those of padding are 0, so that nothing comes of it. */
export function restore(): Status {
  for (let l = 0, layers = layersOf(net); l < layers; l++) {
    const layer = layerAt(net, l);
    const isFirst = l == 0 || (l == net.main.hidden + 1 && !net.isShared);
    for (let vector = Vector.Inverse; vector <= Vector.Shift; vector++) {
      const from = place(l, vector);
      const least: f32 = vector <= Vector.CandidateInverse ? 0 : -f32(PARAMETER_MAX);
      for (let i = 0, n = i32(placeBytes(l, vector) >> 2); i < n; i++) {
        const x = load<f32>(from + (usize(i) << 2));
        if (isReal(layer, vector, isFirst, i) ? !(x >= least && x <= f32(PARAMETER_MAX)) : x != 0) {
          return Status.NotFinite;
        }
      }
    }
  }
  return Status.Ok;
}
