import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { printed, resolved, SettingError } from "../../src/cli/serve/resolve.js";
import { flagOf, KEYS, SETTINGS, variableOf } from "../../src/cli/serve/settings.js";
import { liveq } from "../support/command.js";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "settings-"));
  file = join(folder, "liveq.json");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (value: unknown) => writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));

describe("settings of a server", () => {
  test("a flag counts more than a variable, that more than the file, and the file more than the default", () => {
    const places = [{ port: 1 }, { LIVEQ_PORT: "2" }, { port: 3 }] as const;
    // Every choice of places, and who wins.
    for (let mask = 0; mask < 8; mask++) {
      const [flags, environment, written] = places.map((place, i) => ((mask >> i) & 1 ? place : {}));
      write(written);
      const { settings, from } = resolved(flags!, environment as Record<string, string>, file);
      const expected =
        mask & 1 ? [1, "--port"] : mask & 2 ? [2, "LIVEQ_PORT"] : mask & 4 ? [3, file] : [8787, "default"];
      expect([settings.port, from.port], `${mask}`).toEqual(expected);
    }
  });

  test("have one name in three spellings, and defaults that their rules take", () => {
    expect([flagOf("checkpointEvery"), variableOf("checkpointEvery")]).toEqual([
      "--checkpoint-every",
      "LIVEQ_CHECKPOINT_EVERY",
    ]);
    for (const key of KEYS) {
      const { rule, preset } = SETTINGS[key];
      if (preset !== undefined) expect(rule[0](preset), key).toBe(true);
    }
    expect(new Set(KEYS.map(variableOf)).size).toBe(KEYS.length);
  });

  test("of the environment are texts: numbers, switches and lists are read from them, and empty is none", () => {
    const { settings, from } = resolved(
      {},
      {
        ...{
          LIVEQ_MEMORY: "1",
          LIVEQ_SIMULATE: "false",
          LIVEQ_SPEED: "1e3",
          LIVEQ_TOKEN: " a  b=read\tc ",
          LIVEQ_PORT: "",
        },
      },
    );
    expect(settings).toMatchObject({
      memory: true,
      simulate: false,
      speed: 1000,
      token: ["a", "b=read", "c"],
      port: 8787,
    });
    expect(from.port).toBe("default");
  });

  test("that are wrong are refused by name, what they must be, what they were, and from where", () => {
    const refused = (flags: object, environment: Record<string, string>, written?: unknown) => {
      if (written !== undefined) write(written);
      try {
        resolved({ ...flags }, environment, written === undefined ? undefined : file);
      } catch (error) {
        expect(error).toBeInstanceOf(SettingError);
        return (error as Error).message;
      }
      return "taken";
    };
    expect(refused({}, { LIVEQ_PORT: "70000" })).toBe(
      '"port" must be an integer in [0, 65535], got 70000 (LIVEQ_PORT)',
    );
    expect(refused({}, { LIVEQ_PORT: "tcp://10.0.0.1" })).toContain('got "tcp://10.0.0.1" (LIVEQ_PORT)');
    expect(refused({}, { LIVEQ_MEMORY: "yes" })).toBe('"memory" must be true or false, got "yes" (LIVEQ_MEMORY)');
    expect(refused({}, {}, { logLevel: "loud" })).toBe(
      `"logLevel" must be "error" or "warn" or "info" or "debug", got "loud" (${file})`,
    );
    // Also below another that is right.
    expect(refused({ port: 1 }, {}, { port: "1" })).toBe(`"port" must be an integer in [0, 65535], got "1" (${file})`);
    expect(refused({}, {}, { token: ["", "0123456789abcdef"] })).not.toContain("0123456789abcdef");
    expect(refused({}, {}, { prot: 1 })).toBe(`"prot" is not a setting, did you mean "port"? (${file})`);
    expect(refused({}, {}, { checkpointevery: 1 })).toContain('did you mean "checkpointEvery"?');
    expect(refused({}, {}, { wholly: 1 })).toContain("there are dir, memory,");
    expect(refused({}, {}, { ["x".repeat(1e5)]: 1 })).toContain("is not a setting; there are");
    for (const bad of ["{", "[]", "7", "null", '"port"']) expect(refused({}, {}, bad)).toMatch(/must hold/);
    expect(refused({}, { LIVEQ_CONFIG: join(folder, "nothing.json") })).toContain("must hold settings as JSON");
    expect(refused({}, { LIVEQ_PROT: "1" })).toBe("LIVEQ_PROT is not a setting, did you mean LIVEQ_PORT?");
    expect(resolved({}, { LIVEQ_SERVICE_HOST: "10.0.0.1" }).warnings).toEqual(["LIVEQ_SERVICE_HOST is not a setting"]);
    expect(resolved({}, { LIVEQ_RUNS: "none", PORT: "x" }).warnings).toEqual([]);
  });

  test("are printed with where they come from, and without secrets", () => {
    const token = ["site-0123456789abcdef=recommend,events", "ops-0123456789abcdef"];
    const text = printed(resolved({ token }, { LIVEQ_SEED: "7" }));
    const shown = JSON.parse(text);
    expect(Object.keys(shown)).toEqual(KEYS);
    expect(shown).toMatchObject({
      token: { value: ["***=recommend,events", "***"], from: "--token" },
      seed: { value: 7, from: "LIVEQ_SEED" },
      port: { value: 8787, from: "default" },
      options: { value: null, from: "default" },
    });
    expect(text).not.toContain("0123456789");
  });
});

describe("liveq serve", () => {
  test("prints its settings, and takes flags, file and defaults together", async () => {
    write({ port: 1, maxBatch: 5, memory: true, options: { gamma: 0.5 } });
    const { code, out, err } = await liveq(
      "serve",
      "--config",
      file,
      "--port",
      "2",
      "--memory",
      "false",
      "--print-config",
    );
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({
      port: { value: 2, from: "--port" },
      memory: { value: false, from: "--memory" },
      maxBatch: { value: 5, from: file },
      options: { value: { gamma: 0.5 }, from: file },
      logFormat: { value: "text", from: "default" },
    });
  });

  test("takes the options of ranking from a file, a flag or a variable, and refuses wrong ones by name", async () => {
    const own = join(folder, "rank.json");
    writeFileSync(own, '{"apprentice":true,"waitMs":60000}');
    write({ memory: true, rank: { defaultReward: -1 } });
    const shown = async (...words: string[]) => {
      const { code, out } = await liveq("serve", "--config", file, "--print-config", ...words);
      return [code, JSON.parse(out).rank];
    };
    expect(await shown()).toEqual([0, { value: { defaultReward: -1 }, from: file }]);
    expect(await shown("--rank", own)).toEqual([0, { value: own, from: "--rank" }]);
    expect(resolved({}, { LIVEQ_RANK: own }).settings.rank).toBe(own);
    for (const [wrong, message] of [
      ['{"waitMs":5}', `${own}: "rank.waitMs" must be in [1000, 172800000], got 5`],
      ['{"wait":5}', `${own}: "rank.wait" is not an option`],
      ["[]", `${own}: must hold an object of options`],
      ["{", `${own}: must hold ranking's options as JSON`],
    ] as const) {
      writeFileSync(own, wrong);
      const { code, err } = await liveq("serve", "--memory", "--rank", own, "--print-config");
      expect([code, err], wrong).toEqual([2, expect.stringContaining(message)]);
    }
  });

  test("lets pages of named origins call, and all of them only with a token", async () => {
    const ask = (...words: string[]) => liveq("serve", "--memory", "--print-config", ...words);
    const named = await ask("--origin", "https://a.example", "http://localhost:3000");
    expect(JSON.parse(named.out).origin.value).toEqual(["https://a.example", "http://localhost:3000"]);
    const all = await ask("--origin", "*");
    expect([all.code, all.err]).toEqual([2, expect.stringContaining('"--origin *" lets every page call')]);
    expect((await ask("--origin", "*", "--token", "0123456789abcdef=recommend,events")).code).toBe(0);
    for (const wrong of ["a.example", "https://a.example/", "https://a.example/feed"]) {
      const { code, err } = await ask("--origin", wrong);
      expect([code, err], wrong).toEqual([2, expect.stringContaining("origins such as")]);
    }
  });

  test("ends with the code of wrong usage and one line where a setting is wrong", async () => {
    write({ maxBatch: 0 });
    expect(await liveq("serve", "--config", file)).toEqual({
      ...{ code: 2, out: "" },
      err: `error: "maxBatch" must be an integer in [1, 10000], got 0 (${file})\n`,
    });
    const flag = await liveq("serve", "--max-batch", "0");
    expect([flag.code, flag.err]).toEqual([2, expect.stringContaining("It must be an integer in [1, 10000].")]);
    write({ host: "0.0.0.0" });
    const open = await liveq("serve", "--config", file, "--print-config");
    expect([open.code, open.err]).toEqual([2, expect.stringContaining('give a "--token", or LIVEQ_TOKEN')]);
  });
});
