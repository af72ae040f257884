import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Player, PlayerState } from "../../src/client/page/player.js";
import { Visit } from "../../src/client/page/visit.js";
import { Watching } from "../../src/client/page/watching.js";

const MINUTE = 60_000;
const OPTIONS = { heartbeatMs: 30_000, idleMs: 4 * MINUTE, countHidden: false };
const SUBJECT = { user: "u1", stream: "s1", decision: "d1" };

/** What was reported: kind, length, and when it was, from the start. */
let told: [kind: string, watchMs: number, at: number][];
let start: number;
const sink = (event: { kind: string }, agoMs: number) =>
  void told.push([
    event.kind,
    (event as unknown as { watchMs: number }).watchMs,
    Math.round(performance.now() - start - agoMs),
  ]);
const of = (kind: string) => told.filter(([one]) => one === kind).map(([, watchMs]) => watchMs);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  told = [];
  start = performance.now();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTime(ms);
/** Time passes while no timer runs: the machine sleeps, or the page is frozen. */
const sleep = (ms: number) => {
  const now = performance.now() + ms;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return () => vi.mocked(performance.now).mockRestore();
};

describe("a visit", () => {
  test("of three hours is reported while it lasts", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.play();
    pass(180 * MINUTE);
    expect(told.slice(0, 3)).toEqual([
      ["heartbeat", 5000, 5000],
      ["heartbeat", 35_000, 35_000],
      ["heartbeat", 65_000, 65_000],
    ]);
    expect(told).toHaveLength(1 + Math.floor((180 * 60 - 5) / 30));
    visit.end();
    expect(told.at(-1)).toEqual(["watch", 180 * MINUTE, 180 * MINUTE]);
  });

  test("counts what was watched, not what passed", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    for (let i = 0; i < 4; i++) {
      visit.play();
      pass(20_000);
      visit.pause();
      pass(MINUTE);
    }
    visit.end();
    expect(of("watch")).toEqual([80_000]);
    // Its last moment, a minute ago.
    expect(told.at(-1)![2]).toBe(4 * 80_000 - MINUTE);
    const beats = of("heartbeat");
    expect(beats).toEqual([...beats].sort((a, b) => a - b));
    expect(beats).toContain(80_000);
  });

  test("ends after four minutes of rest, and goes on as another", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.play();
    pass(10_000);
    visit.pause();
    pass(3 * MINUTE);
    expect(of("watch")).toEqual([]);
    pass(2 * MINUTE);
    expect(told.at(-1)).toEqual(["watch", 10_000, 10_000]);
    visit.play();
    pass(7000);
    visit.end();
    expect(of("watch")).toEqual([10_000, 7000]);
  });

  test("that slept with its machine counts no sleep", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.play();
    pass(20_000);
    const wake = sleep(8 * 60 * MINUTE);
    visit.pause();
    visit.end();
    expect(of("watch")).toEqual([20_000]);
    expect(told.at(-1)![2]).toBeLessThanOrEqual(20_000);
    wake();
  });

  test("whose rest slept with the page ends at the next moment of playing", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.play();
    pass(20_000);
    visit.pause();
    const wake = sleep(60 * MINUTE);
    visit.play();
    expect(of("watch")).toEqual([20_000]);
    wake();
  });

  test("without a moment of playing is none", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.pause();
    visit.end();
    visit.play();
    visit.end();
    expect(told).toEqual([]);
  });

  test("that is cut for a request goes on from zero", () => {
    const visit = new Visit(SUBJECT, OPTIONS, sink);
    visit.play();
    pass(12_500);
    visit.end();
    pass(8000);
    visit.end();
    expect(of("watch")).toEqual([12_500, 8000]);
    visit.end();
    expect(of("watch")).toHaveLength(2);
  });
});

/** A player that does as it is told. */
class Pretended extends EventTarget {
  paused = true;
  ended = false;
  readyState = 4;

  say(...types: string[]): void {
    for (const type of types) this.dispatchEvent(new Event(type));
  }

  play(): void {
    this.paused = false;
    this.say("play", "playing");
  }

  pause(): void {
    this.paused = true;
    this.say("pause");
  }
}

describe("a player", () => {
  test("plays from playing to pause, a stall, its end or an error", () => {
    const player = new Pretended();
    const states: boolean[] = [];
    const state: PlayerState = new PlayerState(player, () => states.push(state.isPlaying));
    player.play();
    player.say("waiting");
    player.say("stalled");
    player.say("playing");
    player.pause();
    // Seeking moves the time of a paused player.
    player.say("seeking", "timeupdate", "seeked");
    player.play();
    player.ended = true;
    player.say("ended");
    player.say("timeupdate");
    player.ended = false;
    player.say("timeupdate");
    player.say("error");
    state.stop();
    player.say("playing");
    expect(states).toEqual([true, false, true, false, true, false, true, false]);
  });

  test("that plays already is known to", () => {
    const player = new Pretended();
    player.paused = false;
    expect(new PlayerState(player, () => {}).isPlaying).toBe(true);
    player.readyState = 2;
    expect(new PlayerState(player, () => {}).isPlaying).toBe(false);
  });

  test("may have on and off, and functions for fields", () => {
    const listeners = new Map<string, () => void>();
    let isPaused = true;
    const player: Player = {
      on: (type, listener) => listeners.set(type, listener),
      off: (type) => listeners.delete(type),
      paused: () => isPaused,
    };
    const state = new PlayerState(player, () => {});
    listeners.get("timeupdate")!();
    expect(state.isPlaying).toBe(false);
    isPaused = false;
    listeners.get("playing")!();
    expect(state.isPlaying).toBe(true);
    state.stop();
    expect(listeners.size).toBe(0);
    expect(() => new PlayerState({}, () => {})).toThrow('"player" must have addEventListener');
  });
});

describe("a player in a page", () => {
  const page = { visibilityState: "visible", pictureInPictureElement: null as unknown };
  beforeEach(() => {
    Object.assign(page, { visibilityState: "visible", pictureInPictureElement: null });
    vi.stubGlobal("document", page);
  });
  const hide = (watching: Watching, isHidden: boolean) => {
    page.visibilityState = isHidden ? "hidden" : "visible";
    watching.look();
  };

  test("counts not in a hidden tab, unless it is to, or its picture is outside", () => {
    for (const [countHidden, isOutside, expected] of [
      [false, false, 20_000],
      [true, false, 80_000],
      [false, true, 80_000],
    ] as const) {
      told = [];
      const player = new Pretended();
      const watching = new Watching(player, SUBJECT, { ...OPTIONS, countHidden }, sink);
      player.play();
      pass(10_000);
      if (isOutside) page.pictureInPictureElement = player;
      player.say("enterpictureinpicture");
      hide(watching, true);
      pass(MINUTE);
      hide(watching, false);
      page.pictureInPictureElement = null;
      pass(10_000);
      watching.stop();
      expect(of("watch")).toEqual([expected]);
    }
  });

  test("rests when its picture comes back into a hidden page", () => {
    const player = new Pretended();
    const watching = new Watching(player, SUBJECT, OPTIONS, sink);
    player.play();
    page.pictureInPictureElement = player;
    hide(watching, true);
    pass(10_000);
    page.pictureInPictureElement = null;
    player.say("leavepictureinpicture");
    pass(MINUTE);
    watching.stop();
    expect(of("watch")).toEqual([10_000]);
  });

  test("whose page ends and is gone back to begins another watch", () => {
    const player = new Pretended();
    const watching = new Watching(player, SUBJECT, OPTIONS, sink);
    player.play();
    pass(10_000);
    watching.leave();
    const wake = sleep(90_000);
    watching.look();
    wake();
    expect(of("watch")).toEqual([10_000]);
    watching.stop();
  });
});
