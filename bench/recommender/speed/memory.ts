/** One collection leaves garbage that only the next one finds: once 2 MB of an earlier repetition went between two counts. */
const COLLECTIONS = 3;

/** Bytes in use. Where garbage can be collected on demand (`node --expose-gc`) it is, and the figure is exact. */
export function liveBytes(): number {
  for (let i = 0; i < COLLECTIONS; i++) (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
