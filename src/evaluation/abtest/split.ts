import type { Decision, Id, LiveEvent, Policy, Receipt, Request } from "../../protocol/index.js";
import type { ArmAssignment, TestArm } from "./arms.js";

/**
 * Serves each user with the policy of the user's arm. Both policies get the events of streams; the events of a user go
 * to the policy of the user's arm alone, so that no policy learns from the other's decisions. A friendship goes to the
 * arms of both friends. Ids of decisions begin with `a:` or `b:`.
 */
export class SplitPolicy implements Policy {
  readonly name: string;
  readonly arms: ArmAssignment;
  readonly #policies: Readonly<Record<TestArm, Policy>>;

  /**
   * @param a - Serves arm `a`; not the same object as `b`.
   * @param b - Serves arm `b`.
   * @throws RangeError where both are the same object.
   */
  constructor(arms: ArmAssignment, a: Policy, b: Policy) {
    if (a === b) throw new RangeError('"a" and "b" must be two policies: neither may learn from the other arm');
    this.arms = arms;
    this.name = `${a.name}|${b.name}`;
    this.#policies = { a, b };
  }

  recommend(request: Request): Decision {
    const arm = this.arms.of(request.user);
    const decision = this.#policies[arm].recommend(request);
    return { ...decision, id: nameOf(arm, decision.id) };
  }

  /** What became of the event in the arm of its user; of an event of streams in arm `a`. */
  feedback(event: LiveEvent, now?: number): Receipt {
    const arm = "user" in event ? this.arms.of(event.user) : "a";
    const receipt = this.#policies[arm].feedback(own(arm, event), now) ?? "taken";
    const other = "user" in event ? ("friend" in event ? this.arms.of(event.friend) : arm) : "b";
    if (other !== arm) this.#policies[other].feedback(event, now);
    return receipt;
  }
}

function nameOf(arm: TestArm, decision: Id): Id {
  return `${arm}:${decision}`;
}

/** An event with the decision's id as the arm's policy gave it. */
function own(arm: TestArm, event: LiveEvent): LiveEvent {
  const prefix = nameOf(arm, "");
  if (!("decision" in event) || event.decision === undefined || !event.decision.startsWith(prefix)) return event;
  return { ...event, decision: event.decision.slice(prefix.length) };
}
