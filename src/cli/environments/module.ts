import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AsyncContinuousEnvironment, AsyncEnvironment } from "../../training/index.js";

/** An environment as a module may have it. */
export type Loaded = AsyncEnvironment | AsyncContinuousEnvironment;

/** The environments of a module. */
export interface EnvironmentModule {
  /** Of the file, without its ending. */
  readonly name: string;
  /** Whether `make` gives the same object at every call. */
  readonly isOne: boolean;
  make(): Loaded;
}

/**
 * Loads a module whose default export is a class of environments, or one environment.
 * @throws Error that names the file.
 */
export async function loadModule(file: string): Promise<EnvironmentModule> {
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw new Error(`${file}: cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  const name = basename(file, extname(file));
  if (typeof exported === "object" && exported !== null) {
    return { name, isOne: true, make: () => exported as Loaded };
  }
  if (typeof exported !== "function") {
    const got = exported === undefined ? "none" : typeof exported;
    throw new Error(`${file}: the default export must be a class of environments or an environment, got ${got}`);
  }
  const Environment = exported as new () => Loaded;
  const make = () => {
    try {
      return new Environment();
    } catch (cause) {
      throw new Error(`${file}: "new" of the default export fails: ${(cause as Error).message}`, { cause });
    }
  };
  return { name, isOne: false, make };
}
