/**
 * Finds a task that is part of two yields: the SDK adds its action again, so the same object stands twice in the
 * list of actions. Only visible on the SDK's own objects, before they become text. Returns the task's name.
 *
 * The real host would invoke the task a second time and hand answers to the wrong tasks
 * (Azure/azure-functions-durable-js#574).
 */
export function findRepeatedTask(state: unknown): string | undefined {
  const seen = new Set<object>();
  const pending: unknown[] = [property(state, 'actions')];
  while (pending.length > 0) {
    const item = pending.pop();
    if (Array.isArray(item)) {
      for (const entry of item) pending.push(entry);
    } else if (typeof item === 'object' && item !== null) {
      if (seen.has(item)) return taskName(item);
      seen.add(item);
      pending.push(property(item, 'compoundActions'));
    }
  }
  return undefined;
}

function taskName(action: object): string {
  for (const key of ['functionName', 'externalEventName', 'operation', 'fireAt']) {
    const value = property(action, key);
    if (typeof value === 'string') return value;
    if (value instanceof Date) return `timer of ${value.toISOString()}`;
  }
  return 'Task.all or Task.any';
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
