/**
 * A shop, 100-50-10: a state of 100 numbers, 50 hidden units, 10 products to offer. An agent with gamma 0.9 looks at
 * the whole visit, one with gamma 0 at the next sale: the same program, the same data, one number.
 *
 * Customers are made up. Sweets sell at once, with a profit of 0.8. A printer earns 0.2 and is bought by customers who
 * have looked at its pages; then they buy its ink, with a profit of 3. So the next sale is sweets, and a good visit is
 * printer, then ink.
 *
 *   node node_modules/liveq/dist/examples/textbook/shop.js
 *
 * Prints (one seed):
 *
 *   always the best seller, sweets: 5.75 a visit
 *   gamma 0: 5.71 a visit
 *   gamma 0.9: 10.09 a visit
 */
import { DQN, type Environment, evaluate, Random, type StepResult, train } from "liveq";

const PRODUCTS = 10;
/** Numbers of a product in the state: whether it was bought, then how often each of its nine pages was looked at. */
const PAGES = 10;
const PRINTERS = 4;
const SWEETS = 8;
const OFFERS = 8;

/** A visit of a customer: eight offers. Products 0 to 3 are printers, 4 to 7 their ink, 8 sweets, 9 postcards. */
class Visit implements Environment {
  readonly observationSize = PRODUCTS * PAGES;
  readonly actions = PRODUCTS;
  readonly #state = new Float32Array(this.observationSize);
  #random = new Random(0);
  #wanted = 0;
  #offers = 0;

  reset(seed = 0): Float32Array {
    this.#random = new Random(seed);
    this.#wanted = this.#random.below(PRINTERS);
    this.#offers = 0;
    this.#state.fill(0);
    for (let view = 0; view < 12; view++) {
      const product = this.#random.bernoulli(0.5) ? this.#wanted : this.#random.below(PRODUCTS);
      this.#state[product * PAGES + 1 + this.#random.below(PAGES - 1)]! += 0.5;
    }
    return this.#state;
  }

  step(product: number): StepResult {
    const [chance, profit] = this.#sale(product);
    const isBought = this.#random.bernoulli(chance);
    if (isBought) this.#state[product * PAGES] = 1;
    const terminated = ++this.#offers === OFFERS;
    return { observation: this.#state, reward: isBought ? profit : 0, terminated, truncated: false };
  }

  /** The chance that an offered product is bought, and its profit. */
  #sale(product: number): [chance: number, profit: number] {
    if (product < PRINTERS) return [product === this.#wanted && !this.#state[product * PAGES] ? 0.6 : 0.02, 0.2];
    if (product < SWEETS) return [this.#state[(product - PRINTERS) * PAGES] ? 0.7 : 0, 3];
    return [0.9, product === SWEETS ? 0.8 : 0.5];
  }
}

/** Profit of a visit, of an agent trained with this gamma. */
async function profitOf(gamma: number): Promise<number> {
  const agent = new DQN({
    observation: PRODUCTS * PAGES,
    hidden: [50],
    actions: PRODUCTS,
    gamma,
    batchSize: 32,
    trainEvery: 2,
    epsilon: { type: "linear", from: 1, to: 0.1, steps: 10_000 },
    seed: 1,
  });
  await train(agent, new Visit(), { steps: 20_000 });
  return mean(evaluate(agent, new Visit(), { episodes: 1000 }));
}

/** Profit of a visit where the same product is offered all the time. */
function profitOfProduct(product: number): number {
  const visits = Array.from({ length: 1000 }, (_, i) => {
    const visit = new Visit();
    visit.reset(1_000_000 + i);
    return Array.from({ length: OFFERS }, () => visit.step(product).reward).reduce((sum, one) => sum + one, 0);
  });
  return mean(visits);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

console.log(`always the best seller, sweets: ${profitOfProduct(SWEETS).toFixed(2)} a visit`);
console.log(`gamma 0: ${(await profitOf(0)).toFixed(2)} a visit`);
console.log(`gamma 0.9: ${(await profitOf(0.9)).toFixed(2)} a visit`);
