/**
 * A player: a `<video>` or `<audio>` element, or an object that says by events of the same names what it does: `playing`,
 * `pause`, `waiting`, `ended`, `emptied`, `error`, `timeupdate`. Players with `on` and `off` in place of
 * `addEventListener` will do, and those whose `paused` is a function.
 */
export interface Player {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
  on?(type: string, listener: () => void): unknown;
  off?(type: string, listener: () => void): unknown;
  readonly paused?: boolean | (() => boolean);
  readonly ended?: boolean | (() => boolean);
  readonly readyState?: number | (() => number);
}

const PLAYS = ["playing", "timeupdate"];
const RESTS = ["pause", "waiting", "ended", "emptied", "error"];
const PICTURE = ["enterpictureinpicture", "leavepictureinpicture"];
/** `HAVE_FUTURE_DATA` of a media element. */
const READY = 3;

function fieldOf<T>(player: Player, field: keyof Player, fallback: T): T {
  const value = player[field] as T | (() => T) | undefined;
  return typeof value === "function" ? (value as () => T).call(player) : (value ?? fallback);
}

/** Whether a player plays, from its events. */
export class PlayerState {
  isPlaying: boolean;
  readonly #player: Player;
  readonly #changed: () => void;

  /** @param changed - Called when it begins or ceases to play, and when its picture leaves the page or returns. */
  constructor(player: Player, changed: () => void) {
    this.#player = player;
    this.#changed = changed;
    this.isPlaying = this.#isRunning(false) && fieldOf(player, "readyState", 0) >= READY;
    this.#listen("addEventListener", "on");
  }

  stop(): void {
    this.#listen("removeEventListener", "off");
  }

  /** Whether the player says that it runs; @param otherwise - If it does not say. */
  #isRunning(otherwise: boolean): boolean {
    const isPaused = fieldOf<boolean | undefined>(this.#player, "paused", undefined);
    return isPaused === undefined ? otherwise : !isPaused && !fieldOf(this.#player, "ended", false);
  }

  #listen(standard: "addEventListener" | "removeEventListener", other: "on" | "off"): void {
    const player = this.#player;
    const call = player[standard] ?? player[other];
    if (typeof call !== "function") {
      throw new TypeError('"player" must have addEventListener and removeEventListener, or on and off');
    }
    for (const type of PLAYS) call.call(player, type, this.#plays);
    for (const type of RESTS) call.call(player, type, this.#rests);
    for (const type of PICTURE) call.call(player, type, this.#changed);
  }

  readonly #plays = (): void => {
    // Seeking moves the time of a paused player too.
    if (this.isPlaying || !this.#isRunning(true)) return;
    this.isPlaying = true;
    this.#changed();
  };

  readonly #rests = (): void => {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.#changed();
  };
}
