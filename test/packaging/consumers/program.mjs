/** What every consumer of the package runs: an agent that trains, is saved, loaded, and trains on. */

/** Waits until the threads that were asked for are there, or a reason why not. */
async function threadsOf(agent, wanted) {
  for (;;) {
    const { threads, threadsReason } = agent.stats();
    if (threads === wanted || threadsReason) return { threads, threadsReason };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function hashOf(agent) {
  const plain = JSON.stringify(agent.weights(), (_, value) => (ArrayBuffer.isView(value) ? [...value] : value));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(plain));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param liveq - What was imported, by name, so that bundlers leave out the rest.
 * @param run - How the agents run.
 * @returns The hash of the weights, which is the same everywhere; how many threads there were; the file.
 */
export async function program({ CartPole, DQN, train }, run = {}) {
  const options = { observation: 4, actions: 2, learningStarts: 50, batchSize: 32, capacity: 500, seed: 1 };
  const first = new DQN(options, run);
  const threads = await threadsOf(first, run.threads ?? 1);
  await train(first, new CartPole(), { steps: 300, seed: 1 });
  const file = first.save();
  first.dispose();
  const second = DQN.load(file, run);
  if (!threads.threadsReason) await threadsOf(second, run.threads ?? 1);
  await train(second, new CartPole(), { steps: 200, seed: 2 });
  const hash = await hashOf(second);
  second.dispose();
  return { hash, ...threads, file };
}
