export { readSafetensors, type SafetensorsFile, type Tensor } from "./container.js";
export { type ExportableAgent, toOnnx } from "./onnx.js";
export { type FromSafetensorsOptions, fromSafetensors, fromStableBaselines3, toSafetensors } from "./safetensors.js";
export { type TensorBoardSink, TensorBoardWriter, tensorBoardLogger } from "./tensorboard.js";
