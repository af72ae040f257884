/** Values of slates: of those that are shown, and of the best ones of the sampled next states. */
import { valuesOfCandidates } from "../network/forward";
import { discountOf, nextCountOf, nextSlateOf } from "../replay";
import { Rng } from "../rng";
import { choiceWeights, greedySlate, mixture, splitChoices } from "../slate";
import { bytesOf } from "../sparse";
import { unpack } from "../storage";
import { expectations } from "../values";
import { Agent, sampleAt, weightsOf } from "./agent";

/**
 * Of nothing and c candidates in state x: quantiles to the matrix, means q(c+1), weights of the choice v(c+1).
 * rows(c+1, features): that of nothing, zeros, comes first.
 */
export function valuesOfSlate(
  agent: Agent,
  params: usize,
  x: usize,
  c: i32,
  rows: usize,
  q: usize,
  v: usize,
): void {
  const n = agent.quantiles;
  // Scratch is not zero by itself.
  memory.fill(rows, 0, bytesOf(agent.features));
  valuesOfCandidates(agent.net, params, x, c + 1, rows, agent.matrix);
  splitChoices(c + 1, n, agent.matrix, v);
  choiceWeights(c, v);
  sumsOfParts(agent, c + 1, agent.matrix, q);
}

/** q(c): of theta(c, quantiles) the sum over parts of the mean over quantiles: the values that are acted by. */
export function sumsOfParts(agent: Agent, c: i32, theta: usize, q: usize): void {
  expectations(c, agent.quantiles, theta, 0, q);
  if (agent.parts == 1) return;
  for (let end = q + (usize(c) << 2); q < end; q += 4) store<f32>(q, load<f32>(q) * f32(agent.parts));
}

/** y(b, .) = the mixture of the best slate of the next state; of Double, chosen by the online network. */
export function slateValues(agent: Agent, noise: Rng | null): void {
  pass(agent, weightsOf(agent, agent.isDouble ? agent.online : agent.target, noise), true);
  if (agent.isDouble) pass(agent, weightsOf(agent, agent.target, noise), false);
}

/** One pass over the next states: isChoosing: it chooses the slates among all candidates; else it has only those. */
function pass(agent: Agent, params: usize, isChoosing: bool): void {
  const replay = agent.replay;
  const first = agent.offered + bytesOf(agent.features);
  for (let b: usize = 0; b < usize(agent.batch); b++) {
    const row = sampleAt(agent, b);
    // A discount of 0 needs no value.
    if (discountOf(replay, row) == 0) continue;
    const all = nextCountOf(replay, row);
    const k = min(min(agent.slate, all), nextSlateOf(replay, row));
    const chosen = agent.slates + ((b * usize(agent.slate)) << 2);
    const stored = row + replay.nextCandidates;
    if (isChoosing) unpack(agent.features, all, stored, first);
    else {
      for (let i = 0; i < k; i++) {
        const at = stored + replay.featureBytes * load<i32>(chosen + (usize(i) << 2));
        unpack(agent.features, 1, at, first + bytesOf(agent.features) * i);
      }
    }
    const x = agent.nextX + b * agent.ldx;
    valuesOfSlate(agent, params, x, isChoosing ? all : k, agent.offered, agent.q, agent.v);
    if (isChoosing) greedySlate(all, k, agent.q, agent.v, agent.taken, chosen);
    if (isChoosing && agent.isDouble) continue;
    const y = agent.y + ((b * usize(agent.quantiles)) << 2);
    mixture(k, agent.quantiles, isChoosing ? chosen : 0, agent.matrix, agent.v, y);
  }
}
