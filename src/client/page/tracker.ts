import { above, boolean, checked, integer, optional, type Rule, type Rules } from "../../check/index.js";
import type { Decision, Id } from "../../protocol/index.js";
import type { SlateRequest } from "../answers.js";
import type { LiveQClient } from "../client.js";
import type { UntimedEvent } from "../outbox.js";
import { unique } from "../random.js";
import type { ClientStorage } from "../storage.js";
import { ATTRIBUTES, cardOf, isMedia, isSame, MARK, type Marked, markedBy } from "./elements.js";
import { Impressions } from "./impressions.js";
import type { Player } from "./player.js";
import { Watching } from "./watching.js";

/** What a page tracker reports, and of whom. */
export interface TrackerOptions {
  /** What sends events. */
  client: LiveQClient;
  /** The user, as the site names one. Default: a random id, kept in `storage`, or else for this page alone. */
  user?: Id | undefined;
  /**
   * Where the random id and the decisions of clicks outlast the page, such as `localStorage`. Default: nowhere; give it
   * only if the visitor agreed.
   */
  storage?: ClientStorage | undefined;
  /** The part of the page that is looked at, a `Document` or an `Element`. Default: the document. */
  root?: object | undefined;
  /** Share of an element in view, or of the view that it fills, from which it counts as seen, (0, 1]. Default .5. */
  impressionShare?: number;
  /** Milliseconds that it must be so without a break. Default 1000. */
  impressionMs?: number;
  /** Milliseconds watched between two heartbeats, [1000, 240000]. Default 30 000. */
  heartbeatMs?: number;
  /** Milliseconds of rest after which a watch has ended, [1000, 290000]: the server waits 5 minutes. Default 240 000. */
  idleMs?: number;
  /** Whether the time of a hidden tab counts, for those who listen. Picture in picture always counts. Default false. */
  countHidden?: boolean;
}

const object: Rule = [(value) => typeof value === "object" && value !== null, "an object"];
const RULES: Rules<TrackerOptions> = {
  client: object,
  user: optional([(value) => typeof value === "string" && value !== "", "a string of at least one character"]),
  storage: optional(object),
  root: optional(object),
  impressionShare: above(0, 1),
  impressionMs: integer(0, 3_600_000),
  heartbeatMs: integer(1000, 240_000),
  idleMs: integer(1000, 290_000),
  countHidden: boolean,
};
const DEFAULTS: Partial<TrackerOptions> = {
  impressionShare: 0.5,
  impressionMs: 1000,
  heartbeatMs: 30_000,
  idleMs: 240_000,
  countHidden: false,
};

type Checked = Required<Omit<TrackerOptions, "user" | "storage" | "root">> &
  Pick<TrackerOptions, "user" | "storage" | "root">;

const USER_KEY = "liveq.user";
const CLICKS_KEY = "liveq.clicks";
/** Clicks whose decisions are remembered for the page of the stream. */
const CLICKS = 20;
/** Milliseconds from a change of the page to a look at it. */
const SCAN_MS = 100;

/** An element that is looked at. */
interface Tracked {
  marked: Marked;
  watching: Watching | undefined;
}

/**
 * Reports what a visitor of a page sees, clicks and watches. Elements say by attributes what they show:
 * `data-liveq-stream`, and `data-liveq-decision` on them or around them, `data-liveq-position`. A `<video>` or `<audio>`
 * with a stream is watched; any other element is a card, which is seen and clicked. Elements may come, change and go.
 *
 * Nothing is read, stored or sent before `start`.
 */
export class PageTracker {
  readonly #options: Checked;
  readonly #tracked = new Map<Element, Tracked>();
  readonly #players = new Set<Watching>();
  readonly #clicks = new Map<Id, Id>();
  #user: Id | undefined;
  #impressions: Impressions | undefined;
  #observer: MutationObserver | undefined;
  #scanning: ReturnType<typeof setTimeout> | undefined;
  #isStarted = false;
  #unask = () => {};

  /** @throws TypeError for an unknown option, RangeError for a wrong value. */
  constructor(options: TrackerOptions) {
    this.#options = checked<TrackerOptions>(options, RULES, DEFAULTS) as Checked;
    this.#user = options.user;
  }

  /** The user whose events these are. @throws TypeError before `start` if the site gave none. */
  get user(): Id {
    if (this.#user === undefined) throw new TypeError("the tracker must be started before it has a user");
    return this.#user;
  }

  /** Begins; resolves when the user is known and the page was looked at. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    await this.#load();
    // Somebody may have stopped it meanwhile.
    if (!this.#isStarted) return;
    const { client } = this.#options;
    this.#unask = client.beforeRequest((user) => {
      // Who asks for streams has left the others, as far as the server knows.
      if (user === this.#user) for (const watching of this.#all()) watching.cut();
    });
    this.#impressions = new Impressions(this.#options, (element) => this.#seen(element));
    const root = this.#root();
    root.addEventListener("click", this.#click, true);
    root.addEventListener("auxclick", this.#click, true);
    document.addEventListener("visibilitychange", this.#shown);
    addEventListener("pagehide", this.#hide);
    addEventListener("pageshow", this.#shown);
    this.#observer = new MutationObserver(() => {
      this.#scanning ??= setTimeout(() => this.#scan(), SCAN_MS);
    });
    this.#observer.observe(root, { subtree: true, childList: true, attributeFilter: ATTRIBUTES });
    this.#scan();
    void client.flush();
  }

  /** Ends all watches, and reports nothing more. */
  stop(): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#unask();
    this.#observer?.disconnect();
    clearTimeout(this.#scanning);
    this.#scanning = undefined;
    for (const element of [...this.#tracked.keys()]) this.#drop(element);
    for (const watching of this.#players) watching.stop();
    this.#players.clear();
    this.#impressions?.stop();
    const root = this.#root();
    root.removeEventListener("click", this.#click, true);
    root.removeEventListener("auxclick", this.#click, true);
    document.removeEventListener("visibilitychange", this.#shown);
    removeEventListener("pagehide", this.#hide);
    removeEventListener("pageshow", this.#shown);
  }

  /** Stops, drops what is not yet sent, and removes what it has stored: for visitors who no longer agree. */
  async withdraw(): Promise<void> {
    this.stop();
    const { client, storage, user } = this.#options;
    client.clear();
    this.#clicks.clear();
    this.#user = user;
    await storage?.removeItem(USER_KEY);
    await storage?.removeItem(CLICKS_KEY);
  }

  /** Chooses a slate for the user. */
  recommend(request: Omit<SlateRequest, "user">): Promise<Decision> {
    return this.#options.client.recommend({ user: this.user, ...request });
  }

  /** Queues an event of the user, such as a like. Nothing before `start`. */
  report(event: UntimedEvent): void {
    if (this.#isStarted) this.#options.client.queue(event);
  }

  /**
   * Watches a player that is no element of the page.
   *
   * @param about - The stream, and the decision that showed it. Default of the decision: that of the latest click on it.
   * @returns What ends the watch.
   * @throws TypeError for a player without events, or before `start`.
   */
  watch(player: Player, about: { stream: Id; decision?: Id | undefined }): () => void {
    if (!this.#isStarted) throw new TypeError("the tracker must be started before it watches");
    const watching = this.#watching(player, about.stream, about.decision);
    this.#players.add(watching);
    return () => {
      if (this.#players.delete(watching)) watching.stop();
    };
  }

  /** The user, and the decisions of clicks on earlier pages. */
  async #load(): Promise<void> {
    const { storage } = this.#options;
    try {
      this.#user ??= (await storage?.getItem(USER_KEY)) || undefined;
      const clicks: unknown = JSON.parse((await storage?.getItem(CLICKS_KEY)) ?? "[]");
      for (const each of Array.isArray(clicks) ? clicks.slice(-CLICKS) : []) {
        const [stream, decision] = Array.isArray(each) ? (each as unknown[]) : [];
        if (typeof stream === "string" && typeof decision === "string") this.#clicks.set(stream, decision);
      }
    } catch {
      // A browser may forbid storage, and others may write there.
    }
    if (this.#user !== undefined) return;
    this.#user = `v-${unique()}`;
    this.#store(USER_KEY, this.#user);
  }

  #store(key: string, value: string): void {
    try {
      void Promise.resolve(this.#options.storage?.setItem(key, value)).catch(() => {});
    } catch {
      // It is full or forbidden.
    }
  }

  #root(): Document | Element {
    return (this.#options.root as Document | Element | undefined) ?? document;
  }

  #all(): Watching[] {
    return [...this.#players, ...[...this.#tracked.values()].flatMap(({ watching }) => watching ?? [])];
  }

  /** Looks which elements have come, changed and gone. */
  #scan(): void {
    clearTimeout(this.#scanning);
    this.#scanning = undefined;
    const root = this.#root();
    const found = new Set<Element>(root.querySelectorAll(`[${MARK}]`));
    if (root instanceof Element && root.hasAttribute(MARK)) found.add(root);
    for (const [element, { marked }] of [...this.#tracked]) {
      const now = found.has(element) ? markedBy(element) : undefined;
      if (now === undefined || !isSame(now, marked)) this.#drop(element);
    }
    for (const element of found) if (!this.#tracked.has(element)) this.#track(element);
  }

  #track(element: Element): void {
    const marked = markedBy(element);
    if (marked === undefined) return;
    const watching = isMedia(element) ? this.#watching(element, marked.stream, marked.decision) : undefined;
    this.#tracked.set(element, { marked, watching });
    if (watching === undefined) this.#impressions!.add(element);
  }

  #drop(element: Element): void {
    this.#tracked.get(element)?.watching?.stop();
    this.#impressions?.remove(element);
    this.#tracked.delete(element);
  }

  #watching(player: Player, stream: Id, decision = this.#clicks.get(stream)): Watching {
    const { client } = this.#options;
    const subject = { user: this.user, stream, decision };
    return new Watching(player, subject, this.#options, (event, agoMs) => client.queue(event, agoMs));
  }

  #seen(element: Element): void {
    const marked = this.#tracked.get(element)?.marked;
    if (marked === undefined) return;
    const { position } = marked;
    this.report({ kind: "impression", ...this.#about(marked), ...(position !== undefined && { position }) });
  }

  readonly #click = (event: Event): void => {
    // The right button enters nothing.
    if (event.type === "auxclick" && (event as MouseEvent).button !== 1) return;
    const card = cardOf(event);
    const marked = card && markedBy(card);
    if (marked === undefined) return;
    this.report({ kind: "click", ...this.#about(marked) });
    if (marked.decision === undefined) return;
    this.#clicks.delete(marked.stream);
    this.#clicks.set(marked.stream, marked.decision);
    if (this.#clicks.size > CLICKS) this.#clicks.delete(this.#clicks.keys().next().value!);
    this.#store(CLICKS_KEY, JSON.stringify([...this.#clicks]));
  };

  /** The page is seen again, or no longer. */
  readonly #shown = (): void => {
    for (const watching of this.#all()) watching.look();
    this.#impressions?.look();
    if (document.visibilityState === "hidden") this.#options.client.beacon();
  };

  /** The page ends, or rests until somebody goes back to it. */
  readonly #hide = (): void => {
    for (const watching of this.#all()) watching.leave();
    this.#options.client.beacon();
  };

  #about({ stream, decision }: Marked) {
    return { user: this.user, stream, ...(decision !== undefined && { decision }) };
  }
}
