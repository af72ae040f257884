/** The life of a hand; see crew.ts. */
import { adamShare } from "./adam";
import { claim, come, done, Job, jobNow, next } from "./crew";
import { gemmShare } from "./gemm";

/** Does shares of jobs until it is stopped. */
export function work(): void {
  const part = come();
  let seen = 0;
  while (true) {
    seen = next(part, seen);
    if (!claim(part, seen)) continue;
    const job = jobNow();
    if (job == Job.Gemm) gemmShare(part);
    else if (job == Job.Adam) adamShare(part);
    done();
    if (job == Job.Stop) return;
  }
}
