export { SnapshotError } from "../snapshot.js";
export type { LayerWeights } from "../weights.js";
export { readTensors, type Tensor, type TensorFile } from "./container.js";
export { type Exported, toOnnx } from "./onnx.js";
export { fromSafetensors, fromStableBaselines3, toSafetensors } from "./safetensors.js";
