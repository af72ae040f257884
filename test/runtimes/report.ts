/** Prints the line of one runtime or consumer; `ms` is missing where it did not run. */
export function report(name: string, version: string, ms: number | undefined, text: string): void {
  const time = ms === undefined ? "" : `${(ms / 1000).toFixed(1)} s`;
  console.log(`${name.padEnd(17)} ${version.padEnd(14)} ${time.padStart(7)}  ${text}`);
}
