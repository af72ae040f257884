/**
 * Other instances of this module on the same, shared memory, each in a worker of its own, that take a share of the large
 * loops. A loop is split by what it writes, so that every number is computed by one thread in the order of one thread:
 * the bits do not depend on how many there are.
 *
 * The control block lies at the same address for all of them. Each hand has a slot with the number of its newest
 * job: a hand that comes late never sees one that was split without it. A waiting hand spins for a while, then sleeps.
 * Whoever does a share claims it first, so that the first thread does those that no hand took: a hand that died, or that
 * its system lets wait, holds nobody up.
 */

/** The kind of a job. */
export enum Job {
  /** To return from `work`. */
  Stop = 0,
  Gemm = 1,
  Adam = 2,
}

/** Multiplications below which a loop is not worth a call: about 2 us of work. */
export const WORTH: i32 = 1 << 16;
/** Turns of a spin before sleep, about 100 us: longer than the time between two jobs of an update. */
const SPIN: i32 = 1 << 16;
/** One sleep of the thread that waits for shares, in nanoseconds; and how many in a row a hand that lives may cause. */
const NAP: i64 = 50_000_000;
const NAPS: i32 = 200;
/** Turns of a spin in place of those sleeps: some 10 s. */
const TURNS: i64 = i64(1) << 33;

/** One cache line each: hands that came, shares that are not done, sleepers, the job; its arguments; slots of the hands. */
const CONTROL: usize = memory.data(384 + 64 * 64, 64);
const HANDS: usize = 0;
const PENDING: usize = 64;
const SLEEPERS: usize = 128;
/** i32: the job, its number, and into how many shares it goes. */
const JOB: usize = 192;

/** One line a hand: the number of its newest job; the same again until someone claims its share. */
const SLOTS: usize = 384;
const CLAIM: usize = 4;
/** Where the arguments of the job are, up to 128 bytes. */
export const ARGUMENTS: usize = CONTROL + 256;

/** Whether the memory is shared, so that there may be hands; and whether this thread may sleep. */
let isShared: bool = false;
let canSleep: bool = false;

/** Tells the first instance that others may come. canSleep: whether its thread may, which a window's may not. */
export function share(sleeps: bool): void {
  isShared = true;
  canSleep = sleeps;
}

/** From here on this thread works alone. */
export function unshare(): void {
  isShared = false;
}

/** How many hands there are beside this thread. */
export function hands(): i32 {
  return isShared ? atomic.load<i32>(CONTROL + HANDS) : 0;
}

// @ts-ignore: decorator
@inline
function slotOf(part: i32): usize {
  return CONTROL + SLOTS + (usize(part) << 6);
}

/**
 * Announces a job whose arguments are in place, to be split into shares() of which the caller does share 0: one, where
 * it is not worth more.
 */
export function announce(job: Job, isWorth: bool): void {
  const others = isWorth ? hands() : 0;
  split(others + 1);
  if (others == 0) return;
  const number = load<i32>(CONTROL + JOB, 4) + 1;
  store<i32>(CONTROL + JOB, job);
  store<i32>(CONTROL + JOB, number, 4);
  atomic.store<i32>(CONTROL + PENDING, others);
  for (let part = 1; part <= others; part++) {
    atomic.store<i32>(slotOf(part) + CLAIM, number);
    atomic.store<i32>(slotOf(part), number);
  }
  if (atomic.load<i32>(CONTROL + SLEEPERS) == 0) return;
  for (let part = 1; part <= others; part++) atomic.notify(slotOf(part), 1);
}

/** Sets the number of shares of the job. */
// @ts-ignore: decorator
@inline
export function split(parts: i32): void {
  store<i32>(CONTROL + JOB, parts, 8);
}

/** Into how many shares the job goes. */
export function shares(): i32 {
  return load<i32>(CONTROL + JOB, 8);
}

/**
 * Waits until all other shares are done, and returns 0; or the share that no hand took in time, for the caller to do,
 * who then calls `done` and this again. Traps if a hand took one and does not end it.
 */
export function finish(): i32 {
  if (shares() == 1) return 0;
  let naps = 0;
  let last = 0;
  for (let turn: i64 = 0; true; turn++) {
    const pending = atomic.load<i32>(CONTROL + PENDING);
    if (pending == 0) break;
    if (pending != last) naps = 0;
    last = pending;
    if (turn < SPIN) continue;
    if (turn == SPIN) {
      const number = load<i32>(CONTROL + JOB, 4);
      for (let part = 1; part < shares(); part++) if (claim(part, number)) return part;
    }
    if (canSleep) {
      if (atomic.wait<i32>(CONTROL + PENDING, pending, NAP) == 2 && ++naps == NAPS) unreachable();
    } else if (turn == TURNS) unreachable();
  }
  return 0;
}

/** Takes a share of a job; false if another thread has it. */
export function claim(part: i32, number: i32): bool {
  return atomic.cmpxchg<i32>(slotOf(part) + CLAIM, number, 0) == number;
}

/** Comes as a hand; its number, from 1 to 63. */
export function come(): i32 {
  return atomic.add<i32>(CONTROL + HANDS, 1) + 1;
}

/** Waits for a job of hand `part` after number `seen`; returns its number. */
export function next(part: i32, seen: i32): i32 {
  const slot = slotOf(part);
  for (let turn = 0; turn < SPIN; turn++) {
    const number = atomic.load<i32>(slot);
    if (number != seen) return number;
  }
  atomic.add<i32>(CONTROL + SLEEPERS, 1);
  while (atomic.load<i32>(slot) == seen) atomic.wait<i32>(slot, seen, -1);
  atomic.sub<i32>(CONTROL + SLEEPERS, 1);
  return atomic.load<i32>(slot);
}

/** The kind of the current job. */
export function jobNow(): Job {
  return load<i32>(CONTROL + JOB);
}

/** Tells that a share is done. */
export function done(): void {
  if (atomic.sub<i32>(CONTROL + PENDING, 1) == 1) atomic.notify(CONTROL + PENDING, 1);
}

/** Where a share of n things begins: a multiple of `grain`, n behind the last. */
export function begins(n: i32, part: i32, grain: i32): i32 {
  const parts = shares();
  return part == parts ? n : i32((i64(n) * part) / parts) & -grain;
}
