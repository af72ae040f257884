/** The naive twin of sumtree.ts: a list of priorities, searched from its start. */
export class NaiveSumTree {
  readonly priorities: Float64Array;

  constructor(capacity: number) {
    this.priorities = new Float64Array(capacity);
  }

  get total(): number {
    return this.priorities.reduce((sum, p) => sum + p, 0);
  }

  find(target: number): number {
    let sum = 0;
    return this.priorities.findIndex((p) => {
      sum += p;
      return target < sum;
    });
  }
}
