import { describe, expect, test } from "vitest";
import { CONTENT_SIZE, Contents } from "../../src/encoders/content.js";
import { cosine, tokenize } from "../../src/encoders/text.js";
import { WordVectorTrainer } from "../../src/encoders/wordvectors/trainer.js";
import { WordVectors } from "../../src/encoders/wordvectors/wordvectors.js";
import { Random } from "../../src/numeric/random.js";
import { onAir } from "../support/events.js";

function embedding(random: Random, length: number): number[] {
  return Array.from({ length }, () => random.normal());
}

describe("the content of a stream", () => {
  test("missing modalities are null", () => {
    const contents = new Contents(1);
    contents.onAir(onAir("a"));
    contents.onAir(
      onAir("b", { title: "Blitz", language: "en", mature: true, embeddings: { image: [1, 2], audio: [0, 0] } }),
    );
    expect(contents.get("a")).toMatchObject({ language: undefined, mature: undefined, rows: [null, null, null, null] });
    const { rows, ...told } = contents.get("b")!;
    expect(told).toEqual({ language: "en", mature: true, title: "Blitz", tags: [] });
    expect(rows.map((row) => row !== null)).toEqual([true, false, true, false]);
    expect(contents.get("never")).toBeUndefined();
  });

  test("projections keep cosines to within 1 / sqrt(32), and any length works", () => {
    const random = new Random(1);
    let [squares, mean, n] = [0, 0, 0];
    for (const length of [2, 50, 1024]) {
      for (let pair = 0; pair < 60; pair++) {
        const contents = new Contents(pair);
        const a = embedding(random, length);
        const b = embedding(random, length).map((x, i) => x + random.pick([-1, 0, 1]) * a[i]!);
        contents.onAir(onAir("a", { embeddings: { text: a } }));
        contents.onAir(onAir("b", { embeddings: { text: b.map((x) => 1000 * x) } }));
        const [p, q] = ["a", "b"].map((id) => contents.get(id)!.rows[1]!);
        expect(p!.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
        const error = cosine(p!, q!) - cosine(a, b);
        squares += error * error;
        mean += error;
        n++;
      }
    }
    expect(Math.sqrt(squares / n)).toBeLessThan(1.1 / Math.sqrt(CONTENT_SIZE));
    expect(Math.abs(mean / n)).toBeLessThan(0.05);
  });

  test("projections do not depend on earlier streams, and differ by modality and seed", () => {
    const text = [1, 2, 3, 4];
    const alone = new Contents(1);
    alone.onAir(onAir("a", { embeddings: { text, image: text } }));
    const after = new Contents(1);
    after.onAir(onAir("b", { embeddings: { text: [5], image: [1, 2, 3, 4, 5, 6] } }));
    after.onAir(onAir("a", { embeddings: { text } }));
    expect(after.get("a")!.rows[1]).toEqual(alone.get("a")!.rows[1]);
    expect(alone.get("a")!.rows[2]).not.toEqual(alone.get("a")!.rows[1]);
    const other = new Contents(2);
    other.onAir(onAir("a", { embeddings: { text } }));
    expect(other.get("a")!.rows[1]).not.toEqual(alone.get("a")!.rows[1]);
  });

  test("words follow the title and the tags, and rare ones weigh more", () => {
    const contents = new Contents(1);
    for (let i = 0; i < 30; i++) contents.onAir(onAir(`x${i}`, { tags: ["live"] }));
    contents.onAir(onAir("a", { title: "violin", tags: ["live"] }));
    contents.onAir(onAir("b", { title: "violin" }));
    contents.onAir(onAir("c", { tags: ["live"] }));
    const words = (id: string) => contents.get(id)!.rows[0]!;
    expect(cosine(words("a"), words("b"))).toBeGreaterThan(cosine(words("a"), words("c")) + 0.3);
    contents.update({ kind: "update", time: 1, stream: "b", title: "live" });
    expect(cosine(words("b"), words("c"))).toBeCloseTo(1, 6);
    contents.update({ kind: "update", time: 1, stream: "b", viewers: 3 });
    expect(contents.get("b")!.title).toBe("live");
  });

  test("word vectors embed title and tags if the platform sends no embedding", () => {
    const trainer = new WordVectorTrainer({ size: 3, minCount: 1 });
    for (const text of ["violin cello", "violin live", "blitz chess", "blitz live"]) trainer.learn(tokenize(text));
    const vectors = trainer.vectors();
    const contents = new Contents(1, vectors);
    const text = (id: string) => contents.get(id)!.rows[1]!;
    contents.onAir(onAir("a", { title: "Cello", tags: ["violin"] }));
    contents.onAir(onAir("b", { title: "violin" }));
    contents.onAir(onAir("told", { title: "chess", embeddings: { text: [1, 2] } }));
    contents.onAir(onAir("unknown", { title: "never seen" }));
    expect([...text("a")]).toEqual([...vectors.embed("cello violin")!, ...new Array<number>(29).fill(0)]);
    // Of words that were not learned nothing is known: not the same as zeros.
    expect(contents.get("unknown")!.rows.map((row) => row !== null)).toEqual([true, false, false, false]);
    const told = text("told");
    for (const stream of ["b", "told"]) contents.update({ kind: "update", time: 1, stream, title: "blitz" });
    expect([...text("b").subarray(0, 3)]).toEqual([...vectors.embed("blitz")!]);
    expect(text("told")).toBe(told);
    const floats: Float32Array[] = [];
    const copy = new Contents(1, vectors);
    copy.load(JSON.parse(JSON.stringify(contents.save(floats))), Float32Array.from(floats.flatMap((row) => [...row])));
    copy.update({ kind: "update", time: 2, stream: "told", title: "cello" });
    expect(copy.get("told")!.rows[1]).toEqual(told);
    expect(() => new Contents(1, new WordVectors({ size: 33, words: [], counts: [], rows: [] }))).toThrow(
      '"words.size" must be at most 32, got 33',
    );
  });

  test("is known for a while after the stream went off air", () => {
    const contents = new Contents(1);
    contents.onAir(onAir("a", { language: "en" }));
    contents.offAir("a");
    contents.offAir("never");
    expect(contents.get("a")!.language).toBe("en");
    contents.onAir(onAir("gone"));
    contents.offAir("gone");
    contents.delete("gone");
    expect(contents.get("gone")).toBeUndefined();
    for (let i = 0; i < 20_000; i++) {
      contents.onAir(onAir("b"));
      contents.onAir(onAir(`c${i}`));
      contents.offAir(`c${i}`);
    }
    expect(contents.get("a")).toBeUndefined();
    expect(contents.get("b")).toBeDefined();
  });

  test("saved and loaded, it is the same, to the bit", () => {
    const random = new Random(4);
    const original = new Contents(1);
    const act = (contents: Contents, draw: Random, from: number) => {
      for (let i = from; i < from + 40; i++) {
        const embeddings = draw.bernoulli(0.5) ? { text: embedding(draw, 5) } : { audio: embedding(draw, 3) };
        contents.onAir(
          onAir(`s${i}`, { tags: [`t${draw.below(5)}`], language: draw.pick(["en", undefined]), embeddings }),
        );
        if (draw.bernoulli(0.5)) contents.offAir(`s${draw.below(i + 1)}`);
      }
    };
    act(original, random, 0);
    const floats: Float32Array[] = [];
    const text = JSON.stringify(original.save(floats));
    const copy = new Contents(1);
    copy.load(JSON.parse(text), Float32Array.from(floats.flatMap((row) => [...row])));
    const state = random.state();
    act(original, random, 40);
    random.restore(state);
    act(copy, random, 40);
    const [a, b]: [Float32Array[], Float32Array[]] = [[], []];
    expect(JSON.stringify(copy.save(b))).toBe(JSON.stringify(original.save(a)));
    expect(b).toEqual(a);
  });
});
