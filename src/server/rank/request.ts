import { show } from "../../check/index.js";
import { EventError } from "../../protocol/index.js";
import { type Exploration, explorationRule } from "./exploration.js";
import { ACTIONS_MAX, type Feature, flattened } from "./hashing.js";

/** An action to choose from. */
export interface RankAction {
  readonly id: string;
  readonly features: readonly Feature[];
}

/** A request to rank actions. */
export interface RankRequest {
  /** Undefined: the server gives one. */
  readonly eventId: string | undefined;
  readonly context: readonly Feature[];
  readonly actions: readonly RankAction[];
  readonly excluded: ReadonlySet<string>;
  readonly isDeferred: boolean;
  readonly exploration: Exploration | undefined;
}

const FIELDS = [
  "eventId",
  "context",
  "contextFeatures",
  "actions",
  "excludedActions",
  "deferActivation",
  "exploration",
];
const ID_MAX = 256;

/** An id as in events: 1 to 256 characters without control characters. @throws EventError. */
export function idOf(value: unknown, field: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= ID_MAX && !/\p{Cc}/u.test(value)) return value;
  throw new EventError(
    field,
    `"${field}" must be a string of 1 to ${ID_MAX} characters without control characters, got ${show(value)}`,
  );
}

/** @throws EventError that names the field. */
export function parseRank(body: Record<string, unknown>): RankRequest {
  const other = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (other !== undefined) throw new EventError(other, `${show(other)} is not a field of a rank request`);
  const { eventId, context, contextFeatures, actions, excludedActions = [], deferActivation = false } = body;
  if (context !== undefined && contextFeatures !== undefined) {
    throw new EventError("contextFeatures", '"contextFeatures" must be absent where "context" is given');
  }
  if (typeof deferActivation !== "boolean") {
    throw new EventError("deferActivation", `"deferActivation" must be true or false, got ${show(deferActivation)}`);
  }
  const { exploration } = body;
  if (exploration !== undefined && !explorationRule[0](exploration)) {
    throw new EventError("exploration", `"exploration" must be ${explorationRule[1]}, got ${show(exploration)}`);
  }
  const parsed = actionsOf(actions);
  const excluded = excludedOf(excludedActions, parsed);
  return {
    eventId: eventId === undefined ? undefined : idOf(eventId, "eventId"),
    context: flattened(context ?? contextFeatures ?? {}, context === undefined ? "contextFeatures" : "context"),
    actions: parsed,
    excluded,
    isDeferred: deferActivation,
    exploration: exploration as Exploration | undefined,
  };
}

function actionsOf(actions: unknown): RankAction[] {
  if (!Array.isArray(actions) || actions.length === 0 || actions.length > ACTIONS_MAX) {
    throw new EventError("actions", `"actions" must be an array of 1 to ${ACTIONS_MAX} actions`);
  }
  const ids = new Set<string>();
  return actions.map((action: unknown, i) => {
    const field = `actions.${i}`;
    if (typeof action !== "object" || action === null || Array.isArray(action)) {
      throw new EventError(field, `"${field}" must be an object of id and features, got ${show(action)}`);
    }
    const { id: given, features = {}, ...rest } = action as Record<string, unknown>;
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new EventError(`${field}.${other}`, `${show(other)} is not a field of an action`);
    const id = idOf(given, `${field}.id`);
    if (ids.has(id))
      throw new EventError(`${field}.id`, `"${field}.id" must be of one action, and ${show(id)} came before`);
    ids.add(id);
    return { id, features: flattened(features, `${field}.features`) };
  });
}

function excludedOf(value: unknown, actions: readonly RankAction[]): Set<string> {
  if (!Array.isArray(value) || value.length > ACTIONS_MAX || !value.every((id) => typeof id === "string")) {
    throw new EventError("excludedActions", '"excludedActions" must be an array of ids of actions');
  }
  const excluded = new Set(value as string[]);
  if (actions.every(({ id }) => excluded.has(id))) {
    throw new EventError("excludedActions", '"excludedActions" must leave an action to choose');
  }
  return excluded;
}
