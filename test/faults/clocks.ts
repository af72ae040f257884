import { Random } from "../../src/numeric/random.js";
import { EventError, type LiveEvent } from "../../src/protocol/index.js";
import { openLog } from "../../src/storage/index.js";
import { type FaultCase, progress } from "./case.js";
import { Host, learned } from "./host.js";

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const JUMPS = [-365 * DAY, -DAY, -HOUR, -MINUTE, -1, 0, SECOND, MINUTE, HOUR, DAY, 365 * DAY];

/** The host's clock jumps; requests are answered, and the log still gives the same learner. */
export const CLOCKS: FaultCase = {
  ...{ name: "clock jumps", unit: "jumps", full: 20_000, few: 300, part: 5000 },
  async run(count, seed, tell) {
    const random = Random.named(seed, "clocks");
    const step = progress(tell, "jumps", count);
    const host = await new Host().start();
    await host.air();
    let [taken, unanswered] = [0, 0];
    for (let i = 0; i < count; i++) {
      host.time = Math.max(0, host.time + (random.bernoulli(0.2) ? random.pick(JUMPS) : random.below(MINUTE)));
      if (i % 50 === 0) await host.air();
      try {
        const { id: decision, user, slate } = host.edge.recommend({ user: `u${random.below(9)}`, k: 2 });
        const about = { user, decision };
        const events = slate.map((stream): LiveEvent => ({ kind: "click", time: host.time, stream, ...about }));
        for (const receipt of await host.edge.feed(events)) if (receipt === "taken") taken++;
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
        unanswered++;
      }
      step(i + 1);
    }
    const own = await host.hash();
    const other = await learned(openLog(host.store));
    await host.edge.close();
    if (host.errors.length > 0) throw host.errors[0];
    return [
      { metric: "events_taken", value: taken, unit: "events" },
      { metric: "requests_unanswered", value: unanswered, unit: "requests", most: 0 },
      { metric: "learners_that_differ", value: Number(own !== other), unit: "learners", most: 0 },
    ];
  },
};
