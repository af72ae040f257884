import { describe, expect, test } from "vitest";
import { emptyQualityReport } from "../../../src/logs/basics/report.js";
import { readKuaiLive, readKuaiLiveStreamers, readKuaiLiveTitles, TitleVectors } from "../../../src/logs/index.js";
import { Random } from "../../../src/numeric/random.js";
import { all, cut, utf8 } from "../../support/pieces.js";

/** Bytes of a `.npy` file: its numbers, and what its header says of them. */
function npy(numbers: readonly number[], shape: string, type = "<f4", order = "False", version = 1): Uint8Array {
  const said = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
  const start = version === 1 ? 10 : 12;
  const header = `${said.padEnd(63 - start + 64)}\n`;
  const size = type === "<f4" ? 4 : 8;
  const bytes = new Uint8Array(start + header.length + size * numbers.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...utf8("NUMPY"), version, 0]);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(utf8(header), start);
  for (const [i, number] of numbers.entries()) {
    const at = start + header.length + size * i;
    if (size === 4) view.setFloat32(at, number, true);
    else view.setFloat64(at, number, true);
  }
  return bytes;
}

const room = (ids: readonly (number | string)[]) => {
  const rows = ids.map((id, i) => `${70 + i},9,${1000 * i},${1000 * i + 500},${id}\n`);
  return `live_id,streamer_id,start_timestamp,end_timestamp,live_name_id\n${rows.join("")}`;
};

describe("the titles of KuaiLive", () => {
  test("are rows by the order of their ids, and the text of the rooms that have them", async () => {
    const random = Random.named(1, "titles");
    const numbers = Array.from({ length: 3 * 128 }, () => Math.fround(random.normal()));
    const rooms = room([30, -1, 5, 30, 12, ""]);
    const of = (row: number) => numbers.slice(128 * row, 128 * (row + 1));
    for (const bytes of [npy(numbers, "3, 128"), npy(numbers, "3, 128", "<f8", "False", 2)]) {
      const titles = await readKuaiLiveTitles(cut(bytes, 1, 100), cut(utf8(rooms), 2, 20));
      expect([titles.size, titles.dimension, titles.of("-1")]).toEqual([3, 128, undefined]);
      expect(["5", "12", "30"].map((id) => [...titles.of(id)!])).toEqual([of(0), of(1), of(2)]);
      const events = await all(readKuaiLive({ room: rooms }, { titles }));
      const texts = events.flatMap((event) => (event.kind === "on_air" ? [event.embeddings?.text] : []));
      expect(texts).toEqual([of(2), undefined, of(0), of(2), of(1), undefined]);
    }
  });

  test("of an invalid file are refused", async () => {
    const rooms = room([1, 2]);
    const numbers = Array.from({ length: 8 }, (_, i) => i);
    for (const [bytes, message] of [
      [utf8("PK\x03\x04 and some more"), "must be a .npy file"],
      [npy(numbers, "2, 4").subarray(0, 100), "must hold float32 or float64"],
      [npy(numbers, "2, 4").subarray(0, -1), "must have 160 bytes, got 159"],
      [npy(numbers, "2, 4", "<i4"), 'must hold float32 or float64, little endian, got "<i4"'],
      [npy(numbers, "8,"), "must be a matrix, row by row"],
      [npy(numbers, "2, 4", "<f4", "True"), "must be a matrix, row by row"],
      [npy(numbers, "4, 2"), "must have a row for each of the 2 titles of room.csv, got 4"],
    ] as const) {
      const titles = readKuaiLiveTitles(bytes, rooms);
      await expect(titles, message).rejects.toThrow(`title_embeddings.npy: ${message}`);
    }
    const wrong = readKuaiLiveTitles(npy(numbers, "2, 4"), room(["x"]));
    await expect(wrong).rejects.toThrow('room.csv:2: "live_name_id" must be an integer of at least 0, got "x"');
    const titles = {} as TitleVectors;
    await expect(all(readKuaiLive({ room: rooms }, { titles }))).rejects.toThrow('"titles" must be TitleVectors');
  });

  test("may be empty", async () => {
    const titles = await readKuaiLiveTitles(npy([], "0, 128"), room([-1]));
    expect([titles.size, titles.dimension, titles.of("0")]).toEqual([0, 0, undefined]);
    expect(new TitleVectors([], new Float32Array()).size).toBe(0);
  });
});

describe("the streamers of KuaiLive", () => {
  const header =
    "streamer_id,gender,age,country,device_brand,device_price,live_operation_tag,fans_user_num,fans_group_fans_num," +
    "follow_user_num,first_live_timestamp,accu_live_cnt,accu_live_duration,accu_play_cnt,accu_play_duration," +
    "reg_timestamp,onehot_feat0,onehot_feat1,onehot_feat2,onehot_feat3,onehot_feat4,onehot_feat5,onehot_feat6";
  const full =
    "400,F,24-30,China,APPLE,5000+,talent,1000-5000,10-50,0-10,2024-01-02 03:04:05,100-500,1000+,5000+,9000+," +
    "1746374400000,1,2,3,4,5,6,7";

  test("are records of the fields in the table", async () => {
    const empty = `401${",".repeat(22)}`;
    const [one, other, ...rest] = await all(readKuaiLiveStreamers(cut(utf8(`${header}\n${full}\n${empty}\n`), 1, 30)));
    expect(one).toEqual({
      streamer: "400",
      gender: "F",
      age: "24-30",
      country: "China",
      deviceBrand: "APPLE",
      devicePrice: "5000+",
      operationTag: "talent",
      fans: "1000-5000",
      fanClub: "10-50",
      follows: "0-10",
      broadcasts: "100-500",
      broadcastDuration: "1000+",
      plays: "5000+",
      playDuration: "9000+",
      registered: 1_746_374_400_000,
      firstBroadcast: Date.UTC(2024, 0, 2, 3, 4, 5),
      hidden: ["1", "2", "3", "4", "5", "6", "7"],
    });
    expect(other).toEqual({ streamer: "401", hidden: Array(7).fill("") });
    expect(rest).toEqual([]);
    expect(await all(readKuaiLiveStreamers("fans_num,author_id\n3,9\n"))).toMatchObject([{ streamer: "9", fans: "3" }]);
  });

  test("that are broken are named, or skipped and counted", async () => {
    const broken = `${header}\n${full.replace("1746374400000", "soon")}\n${full}\n`;
    const message = 'streamer.csv:2: "reg_timestamp" must be an integer in [0, 8640000000000000], got "soon"';
    await expect(all(readKuaiLiveStreamers(broken))).rejects.toThrow(message);
    const report = emptyQualityReport();
    expect((await all(readKuaiLiveStreamers(broken, { onError: "skip", report }))).length).toBe(1);
    expect(report).toMatchObject({ read: 1, dropped: 1, examples: [message] });
  });
});
