import { type Player, PlayerState } from "./player.js";
import { type Subject, Visit, type VisitOptions, type VisitSink } from "./visit.js";

/** Whether a player's picture stands outside the page, where one sees it while the page is hidden. */
function isOutside(player: Player): boolean {
  if (document.pictureInPictureElement === (player as unknown)) return true;
  const { documentPictureInPicture } = globalThis as { documentPictureInPicture?: { window: Window | null } };
  return documentPictureInPicture?.window != null;
}

/** A player whose watch time is reported. */
export class Watching {
  readonly subject: Subject;
  readonly #visit: Visit;
  readonly #player: Player;
  readonly #state: PlayerState;
  readonly #countsHidden: boolean;

  constructor(player: Player, subject: Subject, options: VisitOptions & { countHidden: boolean }, sink: VisitSink) {
    this.subject = subject;
    this.#player = player;
    this.#countsHidden = options.countHidden;
    this.#visit = new Visit(subject, options, sink);
    this.#state = new PlayerState(player, () => this.look());
    this.look();
  }

  /** Counts from now on, or no longer, as player and page are. */
  look(): void {
    const isSeen = this.#countsHidden || document.visibilityState !== "hidden" || isOutside(this.#player);
    if (this.#state.isPlaying && isSeen) this.#visit.play();
    else this.#visit.pause();
  }

  /** Reports the watch so far; what follows is another. */
  cut(): void {
    this.#visit.end();
  }

  /** The page ends: reports the watch, and counts no longer until the next look. */
  leave(): void {
    this.#visit.pause();
    this.#visit.end();
  }

  /** Reports the watch, and looks no longer. */
  stop(): void {
    this.#state.stop();
    this.leave();
  }
}
