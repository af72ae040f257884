/** LiveQ, as an application uses it. */
import { readFileSync } from "node:fs";
import { DQN } from "../../../dist/index.js";
import { joined, layersOf } from "./layers.mjs";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

/** A row as the agent takes it: its numbers, or the indices of those that are not 0. */
function inputOf({ observation }, isSparse, rows, i) {
  const row = rows.subarray(i * observation, (i + 1) * observation);
  if (!isSparse) return row;
  const indices = Array.from(row.keys()).filter((j) => row[j] !== 0);
  return { indices, weights: indices.map((j) => row[j]) };
}

/** Rows of index inputs as one input: slots that a row does not use are -1. */
function joinedRows({ options }, rows) {
  const { slots } = options.sparse;
  const padded = (values, filler) => Array.from({ length: slots }, (_, j) => values[j] ?? filler);
  return {
    indices: Int32Array.from(rows.flatMap(({ indices }) => padded(indices, -1))),
    weights: Float32Array.from(rows.flatMap(({ weights }) => padded(weights, 0))),
  };
}

/** The most indices of a row. */
function slotsOf(data) {
  let most = 1;
  for (let i = 0; i < data.capacity; i++) {
    for (const rows of [data.observations, data.nextObservations]) {
      most = Math.max(most, inputOf(data, true, rows, i).indices.length);
    }
  }
  return most;
}

/** An agent with the first weights and an empty replay. */
export function agentOf(data, isSparse = false) {
  const { observation, actions, widths, batch, capacity, learningRate, beta1, beta2, epsilon } = data;
  const hidden = widths.slice(1, -1);
  const agent = new DQN({
    ...(isSparse ? { observation: 0, sparse: { slots: slotsOf(data), size: observation } } : { observation }),
    ...{ actions, hidden, capacity, learningRate, beta1, beta2 },
    batchSize: batch,
    adamEpsilon: epsilon,
    learningStarts: 1,
    double: false,
    loss: "huber",
    normalization: "none",
    maxGradNorm: 0,
    targetEvery: 1e9,
    tau: 1,
    // The first batches of data.draw are those that this seed draws.
    seed: 1,
  });
  const layers = layersOf(data, data.parameters);
  agent.setWeights(layers.map((layer, l) => ({ ...layer, name: l < hidden.length ? `hidden.${l}` : "head" })));
  return agent;
}

/** variant: `dense` or `indices`. */
export function create(data, variant) {
  const isSparse = variant === "indices";
  const input = (rows, i) => inputOf(data, isSparse, rows, i);
  const agent = agentOf(data, isSparse);
  for (let i = 0; i < data.capacity; i++) {
    agent.observe({
      observation: input(data.observations, i),
      action: data.taken[i],
      reward: data.rewards[i],
      discount: data.discounts[i],
      terminated: data.discounts[i] === 0,
      nextObservation: input(data.nextObservations, i),
    });
  }
  const rows = data.staged.length / data.observation;
  const staged = Array.from({ length: rows }, (_, i) => input(data.staged, i));
  const all = isSparse ? joinedRows(agent, staged) : data.staged;
  return {
    version,
    train: (count) => agent.learn(count),
    act(count) {
      let action = 0;
      for (let i = 0; i < count; i++) action = agent.act(staged[0], undefined, 0);
      return action;
    },
    act64(count) {
      let chosen = [];
      for (let i = 0; i < count; i++) chosen = agent.actBatch(all, undefined, 0);
      return chosen;
    },
    chosen: () => agent.actBatch(all, undefined, 0),
    weights: () => joined(agent.weights()),
  };
}
