/** Thrown for a file that is damaged, foreign, newer, or of another shape. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}
