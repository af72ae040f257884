/** An actor of `liveq train-env --actors`, in a thread of its own. */
import { workerData } from "node:worker_threads";
import { ContinuousAgent } from "../../engine/index.js";
import { runActor } from "../../training/index.js";
import { loadModule } from "./module.js";

const { make } = await loadModule((workerData as { file: string }).file);
runActor(() => make() as never, { agent: (options) => new ContinuousAgent(options) });
