/** The optimiser's step of an agent. */
import { GRADIENT_MAX, Scalar, Stat } from "./abi";
import { adam } from "./adam";
import { Core, counter, scalar, setCounter, setStat } from "./core";
import { sumSquares } from "./vector";

/** What descend gives where it did nothing. */
export const REFUSED: f32 = -1;

/**
 * Clips a part of the gradient, `bytes` from `offset` on, to a norm (0: no clip) and takes an Adam step with the two powers
 * at counter `power`; the clip's factor, or REFUSED, and no step, where it is not finite or so large that a second moment
 * might not be. The norm becomes `figure`.
 */
export function descend(agent: Core, offset: usize, bytes: usize, rate: f64, power: i32, figure: Stat): f32 {
  const n = i32(bytes >> 2);
  const norm = Mathf.sqrt(sumSquares(n, agent.gradient + offset));
  const most = f32(scalar(agent, Scalar.MaxGradNorm));
  const scale: f32 = most > 0 ? min<f32>(1, most / (norm + <f32>1e-6)) : 1;
  setStat(agent, figure, norm);
  // An infinite norm times its scale of 0 is NaN.
  if (!(norm * scale <= f32(GRADIENT_MAX))) return REFUSED;
  const beta1 = scalar(agent, Scalar.Beta1);
  const beta2 = scalar(agent, Scalar.Beta2);
  const power1 = counter(agent, power) * beta1;
  const power2 = counter(agent, power + 1) * beta2;
  setCounter(agent, power, power1);
  setCounter(agent, power + 1, power2);
  const moments = agent.moments + offset;
  adam(
    n,
    agent.online + offset,
    agent.gradient + offset,
    moments,
    moments + agent.trained,
    scale,
    rate,
    beta1,
    beta2,
    scalar(agent, Scalar.AdamEpsilon),
    power1,
    power2,
    scalar(agent, Scalar.WeightDecay),
  );
  return scale;
}
