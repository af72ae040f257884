/** Bytes in use. Where garbage can be collected on demand (`node --expose-gc`) it is, and the figure is exact. */
export function liveBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
