import { describe, expect, it } from 'vitest';
import { orderSteps } from '../../../../shared/domain/pipeline/graph.ts';
import { randomGraph, seeded } from './random-graph.ts';

/** True when some step can be reached from itself: by repeated squaring of "takes from", the plain definition. */
function hasCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const reach = new Map([...graph].map(([step, from]) => [step, new Set(from)]));
  for (let grew = true; grew;) {
    grew = false;
    for (const from of reach.values()) {
      const before = from.size;
      for (const step of [...from]) for (const further of reach.get(step) ?? []) from.add(further);
      grew ||= from.size > before;
    }
  }
  return [...reach].some(([step, from]) => from.has(step));
}

describe('the order of steps', () => {
  it('is found for every graph without a cycle, and a cycle for every other', () => {
    const random = seeded(20261121);
    const seen = { ordered: 0, cyclic: 0 };
    for (let round = 0; round < 2000; round++) {
      const graph = randomGraph(random, { steps: 1 + Math.floor(random() * 9), cyclic: true });
      const found = orderSteps(graph);
      expect('cycle' in found).toBe(hasCycle(graph));
      if ('order' in found) {
        seen.ordered++;
        expect([...found.order].sort()).toEqual([...graph.keys()].sort());
        for (const [step, from] of graph)
          for (const before of from) expect(found.order.indexOf(before)).toBeLessThan(found.order.indexOf(step));
      } else {
        seen.cyclic++;
        found.cycle.forEach((step, i) => {
          const next = found.cycle[(i + 1) % found.cycle.length] ?? '';
          expect(graph.get(next)?.has(step)).toBe(true);
        });
      }
    }
    expect(seen.ordered).toBeGreaterThan(200);
    expect(seen.cyclic).toBeGreaterThan(200);
  });

  it('is found for no steps, and for a chain of 5,000', () => {
    expect(orderSteps(new Map())).toEqual({ order: [] });
    const chain = new Map(Array.from({ length: 5000 }, (_, i) => [`s${i}`, new Set(i < 4999 ? [`s${i + 1}`] : [])]));
    const found = orderSteps(chain);
    expect('order' in found && found.order[0]).toBe('s4999');
  });
});
