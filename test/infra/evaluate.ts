import { z } from 'zod';
import type { Template } from './templates.ts';

const Conditional = z.object({
  operator: z.object({
    type: z.literal('conditional'),
    operands: z.object({ condition: z.unknown(), true_value: z.unknown(), false_value: z.unknown() }),
  }),
});
const Union = z.object({
  function: z.object({ type: z.literal('union'), parameters: z.record(z.string(), z.unknown()) }),
});
const Loop = z.object({ loop_type: z.unknown(), config: z.unknown() });
const Values = z.record(z.string(), z.unknown());

/** What the flags of a deployment are, by the names of parameters and variables. */
export type Flags = Readonly<Record<string, boolean>>;

/**
 * The value of an expression of a template, as far as flags decide it: variables, `flag ? a : b`, `union(a, b)` and one turn of a
 * loop. What Azure alone knows (names, ids) stays as the parser wrote it.
 */
export function evaluate(value: unknown, template: Template, flags: Flags): unknown {
  const again = (inner: unknown): unknown => evaluate(inner, template, flags);
  if (typeof value === 'string') {
    const variable = template.variables[value];
    return variable === undefined ? value : again(variable.value);
  }
  if (Array.isArray(value)) return value.map(again);
  const conditional = Conditional.safeParse(value);
  if (conditional.success) {
    const { condition, true_value: yes, false_value: no } = conditional.data.operator.operands;
    const flag = typeof condition === 'string' ? flags[condition] : undefined;
    return flag === undefined ? value : again(flag ? yes : no);
  }
  const union = Union.safeParse(value);
  if (union.success) {
    const parts = Object.values(union.data.function.parameters).map(again);
    return parts.every((part) => Values.safeParse(part).success) ? Object.assign({}, ...parts) : value;
  }
  const loop = Loop.safeParse(value);
  if (loop.success) return [again(loop.data.config)];
  const values = Values.safeParse(value);
  return values.success
    ? Object.fromEntries(Object.entries(values.data).map(([key, inner]) => [key, again(inner)]))
    : value;
}
