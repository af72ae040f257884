/**
 * Bytes of JavaScript's heap that a call takes, by agent and method, as JSON. In a process of its own, started with
 * `--expose-gc` and a new space so large that nothing is collected while it is measured.
 */
import { DQN } from "liveq";

const ROUNDS = 11;
/** Rounds of warming up at most, and how many equal ones end it. */
const WARM_UPS = 100;
const STEADY = 4;
/** Of each method in a round: with all rounds, agents and methods more than a million. */
const CALLS = 5000;
const STATES = 4;

const SMALL = { hidden: [8], batchSize: 2, capacity: 1000, learningStarts: 1, seed: 1 };

const noise = (n, seed) => Float32Array.from({ length: n }, (_, i) => ((i * 7 + seed * 3) % 5) / 5);
const states = (make) => Array.from({ length: STATES }, (_, i) => make(i));

/** An agent, what it sees and may choose from in each state, and what else a step from there has. */
const CASES = {
  dense: {
    options: { ...SMALL, observation: 4, actions: 3 },
    inputs: states((i) => noise(4, i)),
    available: states(() => undefined),
    taken: (i) => ({ action: i % 3 }),
  },
  "plain arrays, mask, n-step, priorities": {
    options: { ...SMALL, observation: 4, actions: 3, masked: true, nStep: 3, priorityExponent: 0.6 },
    inputs: states((i) => [...noise(4, i)]),
    available: states((i) => [1, i % 2, 0]),
    taken: (i, { available }) => ({
      action: 0,
      mask: available[i],
      nextMask: available[(i + 1) % STATES],
      truncated: false,
    }),
  },
  sparse: {
    options: { ...SMALL, observation: 2, actions: 3, sparse: { slots: 3, size: 50 } },
    inputs: states((i) => ({ dense: noise(2, i), indices: [i + 7, i, i + 3], weights: noise(3, i) })),
    available: states(() => undefined),
    taken: (i) => ({ action: i % 3 }),
  },
  "sparse without dense": {
    options: { ...SMALL, observation: 0, actions: 3, sparse: { slots: 3, size: 50 } },
    inputs: states((i) => ({ indices: Int32Array.of(i + 7, i) })),
    available: states(() => undefined),
    taken: (i) => ({ action: i % 3 }),
  },
  candidates: {
    options: { ...SMALL, observation: 4, candidates: { max: 6, features: 3, next: 6 } },
    inputs: states((i) => noise(4, i)),
    available: states((i) => noise(3 * (2 + i), i)),
    taken: (i, { available }) => ({ candidate: noise(3, i), nextCandidates: available[(i + 1) % STATES] }),
  },
  "sets of candidates": {
    options: { ...SMALL, observation: 4, candidates: { max: 6, features: 3, next: 6 }, dueling: true },
    inputs: states((i) => noise(4, i)),
    available: states((i) => noise(3 * (2 + i), i)),
    taken: (i, { available }) => ({
      action: i % 2,
      candidates: available[i],
      nextCandidates: available[(i + 1) % STATES],
    }),
  },
};

/** Each method of an agent, called n times. */
function methodsOf(agent, given) {
  const { inputs, available, taken } = given;
  const steps = inputs.map((observation, i) => ({
    observation,
    reward: i / 4 - 0.3,
    terminated: i === 3,
    nextObservation: inputs[(i + 1) % STATES],
    ...taken(i, given),
  }));
  return {
    observe(n) {
      for (let i = 0; i < n; i++) agent.observe(steps[i % STATES]);
    },
    act(n) {
      for (let i = 0; i < n; i++) agent.act(inputs[i % STATES], available[i % STATES]);
    },
    evaluate(n) {
      for (let i = 0; i < n; i++) agent.evaluate(inputs[i % STATES], available[i % STATES]);
    },
    learn(n) {
      for (let i = 0; i < n; i++) agent.learn();
    },
  };
}

function bytesOf(method) {
  const before = process.memoryUsage().heapUsed;
  method(CALLS);
  return (process.memoryUsage().heapUsed - before) / CALLS;
}

const made = Object.entries(CASES).map(([name, given]) => {
  const agent = new DQN(given.options);
  return { name, agent, methods: Object.entries(methodsOf(agent, given)) };
});
const memory = () => made.map(({ agent }) => agent.memoryBytes).join();
const before = memory();

/** Bytes of each method of each agent. */
async function round() {
  globalThis.gc();
  const bytes = made.map(({ methods }) => methods.map(([, call]) => bytesOf(call)));
  // Code that was compiled in the background comes into use.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return bytes;
}

/** Until all is compiled, some is taken for that: rounds go on until a few in a row are equal. */
let equal = 0;
for (let i = 0, last = ""; i < WARM_UPS && equal < STEADY; i++) {
  const now = (await round()).flat().map(Math.round).join();
  equal = now === last ? equal + 1 : 0;
  last = now;
}
const rounds = [];
for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const figures = made.map(({ name, methods }, i) => {
  return [name, Object.fromEntries(methods.map(([method], j) => [method, median(rounds.map((all) => all[i][j]))]))];
});
console.log(JSON.stringify({ bytes: Object.fromEntries(figures), isSameMemory: memory() === before }));
