import { expect, it } from 'vitest';
import { jobWorld } from '../../support/job-world.ts';

/** Calls by their names, of anything that holds functions. */
function counted<T extends object>(target: T, prefix: string, calls: Map<string, number>): T {
  return new Proxy(target, {
    get(of, name, receiver) {
      const member: unknown = Reflect.get(of, name, receiver);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        const key = `${prefix} ${String(name)}`;
        calls.set(key, (calls.get(key) ?? 0) + 1);
        return Reflect.apply(member, of, given);
      };
    },
  });
}

it('a job of one file asks storage so often, from its submission to its end', async () => {
  const calls = new Map<string, number>();
  const world = jobWorld({
    table: (table) => counted(table, 'table', calls),
    system: (blobs) => counted(blobs, 'own', calls),
    faulty: (blobs) => counted(blobs, 'data', calls),
  });
  await world.put({ 'in/a.csv': '1\n' });
  await world.accept('job');
  expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 1 } });
  expect(Object.fromEntries([...calls].sort())).toEqual({
    // Is it to stop, asked by plan, slice and fan-in; is it still the fan-in's; this instance; the test's own look.
    'table get': 6,
    // Three rows of indexes, the record, two reservations, a started mark, the lane's progress, this instance.
    'table insert': 9,
    // Datastores, again for the artifact store that is not there; watches; open lanes and instances.
    'table query': 5,
    // Taken, planned, committing, ended.
    'table replace': 4,
    // Two reservations, the row among the open jobs.
    'table remove': 3,
    // Is there a plan.
    'own read': 1,
    // Spec, manifest, receipt, the log of plan, slice and end.
    'own write': 6,
    // Output and errors file by the plan, errors file by the fan-in.
    'data head': 3,
    'data listPage': 1,
    'data read': 1,
    // A probe, the rows, the header.
    'data stageBlock': 3,
    'data commitBlocks': 1,
  });
});
