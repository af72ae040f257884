import { type Network, values } from "./network.js";

/** A stored transition as the twin sees it. */
export interface Sample {
  observation: number[];
  action: number;
  candidate: number[];
  reward: number;
  discount: number;
  next: number[];
  /** Actions: which of them are available. */
  nextMask: boolean[];
  /** Candidates of the next state. */
  nextCandidates: number[][];
}

/** Huber's loss with its kink at 1, or d^2. */
export function loss(d: number, squared: boolean): number {
  if (squared) return d * d;
  return Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5;
}

/** Q(s, a) of the action taken. */
export function taken(network: Network, sample: Sample): number {
  return values(network, [...sample.observation, ...sample.candidate])[sample.action]!;
}

/** r + discount * Q(s', a*), a* the best available by the target network, or by the online one with Double. */
export function target(
  online: Network,
  frozen: Network,
  sample: Sample,
  isDouble: boolean,
  hasCandidates: boolean,
): number {
  const { next, nextMask, nextCandidates, discount, reward } = sample;
  if (discount === 0) return reward;
  const all = (network: Network) =>
    hasCandidates
      ? nextCandidates.map((c) => values(network, [...next, ...c])[0]!)
      : Array.from(values(network, next), (q, a) => (nextMask[a] ? q : Number.NEGATIVE_INFINITY));
  const judged = all(isDouble ? online : frozen);
  const best = judged.indexOf(Math.max(...judged));
  if (best < 0 || judged[best] === Number.NEGATIVE_INFINITY) return reward;
  return reward + discount * all(frozen)[best]!;
}
