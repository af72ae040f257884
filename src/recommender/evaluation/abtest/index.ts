export { type Arm, Arms, type ArmsOptions } from "./arms.js";
export { ABLog, type ABLogOptions, type SavedABLog } from "./log.js";
export { chiSquareTail, type Mismatch, MismatchTest } from "./mismatch.js";
export { type ABResult, type ABStatus, ABTest, type ABTestOptions, type SavedABTest } from "./sequential.js";
export { SplitPolicy } from "./split.js";
