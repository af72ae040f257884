import type { Decision, Id, LiveEvent, Policy, Request } from "../../protocol/index.js";
import type { ArmAssignment, TestArm } from "./arms.js";

/**
 * Serves each user with the policy of the user's arm. Both policies hear what streams do; what users do is heard by
 * their own arm's alone, so that neither learns from what the other tried. A friendship is heard by the arms of both
 * friends. Decisions are named `a:` or `b:` and what the policy calls them.
 */
export class SplitPolicy implements Policy {
  readonly name: string;
  readonly arms: ArmAssignment;
  readonly #policies: Readonly<Record<TestArm, Policy>>;

  /**
   * @param a - Serves arm `a`, `b` arm `b`; not one and the same object.
   * @throws RangeError where both are one.
   */
  constructor(arms: ArmAssignment, a: Policy, b: Policy) {
    if (a === b) throw new RangeError('"a" and "b" must be two policies: what one arm does must not teach the other');
    this.arms = arms;
    this.name = `${a.name}|${b.name}`;
    this.#policies = { a, b };
  }

  recommend(request: Request): Decision {
    const arm = this.arms.of(request.user);
    const decision = this.#policies[arm].recommend(request);
    return { ...decision, id: nameOf(arm, decision.id) };
  }

  feedback(event: LiveEvent): void {
    if (!("user" in event)) {
      this.#policies.a.feedback(event);
      this.#policies.b.feedback(event);
      return;
    }
    const arm = this.arms.of(event.user);
    this.#policies[arm].feedback(own(arm, event));
    if ("friend" in event && this.arms.of(event.friend) !== arm)
      this.#policies[this.arms.of(event.friend)].feedback(event);
  }
}

function nameOf(arm: TestArm, decision: Id): Id {
  return `${arm}:${decision}`;
}

/** An event with the decision called as the arm's policy does. */
function own(arm: TestArm, event: LiveEvent): LiveEvent {
  const prefix = nameOf(arm, "");
  if (!("decision" in event) || event.decision === undefined || !event.decision.startsWith(prefix)) return event;
  return { ...event, decision: event.decision.slice(prefix.length) };
}
