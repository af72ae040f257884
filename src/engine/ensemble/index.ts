export { Ensemble, type Uncertainty } from "./ensemble.js";
export type { EnsembleOptions, EnsemblePolicy } from "./ensembleoptions.js";
