/** Looks every few milliseconds whether a condition holds. No limit of its own: the test that waits has one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Lets everything else run for a moment. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
