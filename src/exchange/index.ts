export { readTensors, type Tensor, type TensorFile } from "./container.js";
export { type Exported, toOnnx } from "./onnx.js";
export { fromSafetensors, fromStableBaselines3, toSafetensors } from "./safetensors.js";
export { crc32c, type EventSink, EventWriter, logTraining, trainScalars } from "./tensorboard.js";
