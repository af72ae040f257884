/**
 * Bump allocator, used only inside create.
 *
 *   heap base            + STRUCT_BYTES                              end of memory
 *   | structs: addresses  | persistent span ... | scratch ...        |
 *
 * Structs lie in the pages that every instance has, so the whole layout is computed, in 64 bits, before any page is
 * taken: take() only counts, and the addresses it gives become valid when the memory is grown to `top`.
 */
@unmanaged
export class Arena {
  /** Next free byte for structs. */
  head: usize;
  /** Next free byte for tensors; 64 bits wide, so that a sum beyond 4 GiB shows. */
  top: u64;
}

/** Room for all structs of an agent; one more page would be taken if it did not fit the first. */
export const STRUCT_BYTES: usize = 4096;

/** The limit of a 32-bit memory in bytes. */
export const LIMIT: u64 = u64(1) << 32;

/** The arena at the start of the free memory, empty. */
export function arenaAt(base: usize): Arena {
  const start = (base + 63) & ~63;
  const arena = changetype<Arena>(start);
  arena.head = start + ((offsetof<Arena>() + 15) & ~15);
  arena.top = u64(start + STRUCT_BYTES);
  return arena;
}

/** Bytes for a struct, zeroed, 16-byte aligned. */
export function takeStruct(arena: Arena, bytes: usize): usize {
  const at = arena.head;
  arena.head = at + ((bytes + 15) & ~15);
  memory.fill(at, 0, bytes);
  return at;
}

/** Bytes for a tensor, 64-byte aligned. Not to be touched before the memory is grown. */
export function take(arena: Arena, bytes: u64): usize {
  const at = arena.top;
  arena.top = at + ((bytes + 63) & ~63);
  return usize(at);
}

/** Bytes for n f32. */
export function takeF32(arena: Arena, n: u64): usize {
  return take(arena, n << 2);
}
