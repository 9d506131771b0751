import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../shared/domain/job.ts';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import type { JobPage } from '../../shared/storage/registry/jobs-port.ts';
import { JOBS_CONTAINER, jobsRegistry, type JobsDeps } from '../../shared/storage/registry/jobs.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { withEmptyPages } from '../support/empty-pages.ts';
import { scoringSpec as spec } from '../support/job-specs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

let tables = 0;
const adapters: [string, () => JobsDeps][] = [
  ['memory', () => ({ table: memoryTables()('jobs'), blobs: memoryBlobs() })],
  ['memory with empty pages', () => ({ table: withEmptyPages(memoryTables()('jobs')), blobs: memoryBlobs() })],
  ['Azure storage on Azurite', () => ({ table: azureTables(azurite)(`jobs${tables++}`), blobs: azureBlobs(azurite) })],
];

const failed = (record: JobRecord, failures: number): JobRecord => ({
  state: 'failed',
  name: record.name,
  endpoint: record.endpoint,
  deployment: record.deployment,
  createdAt: record.createdAt,
  cancelRequested: false,
  startedAt: null,
  endedAt: record.createdAt,
  totals: null,
  failures: Array.from({ length: failures }, (_, row) => ({
    file: 'f'.repeat(1000),
    row,
    code: 'c',
    reason: 'r'.repeat(300),
    attempts: 1,
  })),
  errorsUri: null,
  reason: { code: 'c', message: 'm' },
});

const names = (page: JobPage): string[] => page.jobs.map(({ name }) => name);

describe.each(adapters)('the job registry on %s', (_name, make) => {
  const registry = async () => {
    const deps = make();
    await deps.blobs.ensureContainer(JOBS_CONTAINER);
    return jobsRegistry(deps);
  };

  it('keeps the first spec and record of a name', async () => {
    const jobs = await registry();
    const first = await jobs.create(spec('a'));
    expect(first).toMatchObject({ created: true, record: { state: 'accepted', name: 'a', cancelRequested: false } });
    const again = await jobs.create(spec('a', { requestHash: 'other', createdAt: '2030-01-01T00:00:00.000Z' }));
    expect(again).toEqual({ created: false, spec: first.spec, record: first.record });
    expect(await jobs.spec('a')).toEqual(first.spec);
    expect(await jobs.get('none')).toBeUndefined();
    expect(await jobs.spec('none')).toBeUndefined();
  });

  it('makes one job of a name that is created many times at once', async () => {
    const jobs = await registry();
    const answers = await Promise.all(Array.from({ length: 5 }, () => jobs.create(spec('a'))));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(names(await jobs.list({ endpoint: 'heart' }, 10))).toContain('a');
  });

  it('applies every concurrent transition to the newest record, and never leaves an end', async () => {
    const jobs = await registry();
    await jobs.create(spec('a'));
    await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        jobs.transition('a', (record) => ({ ...record, deployment: `${record.deployment}${i}` })),
      ),
    );
    expect([...((await jobs.get('a'))?.value.deployment ?? '')].sort().join('')).toBe('012345belu');
    await jobs.transition('a', (record) => failed(record, 0));
    expect(await jobs.transition('a', (record) => ({ ...record, cancelRequested: true }))).toMatchObject({
      state: 'failed',
      cancelRequested: false,
    });
    expect(await jobs.transition('none', (record) => record)).toBeUndefined();
  });

  it('moves on from the newest record, whichever instance has changed it', async () => {
    const deps = make();
    await deps.blobs.ensureContainer(JOBS_CONTAINER);
    const [one, two] = [jobsRegistry(deps), jobsRegistry(deps)];
    await one.create(spec('a'));
    const seen: string[] = [];
    const append = (jobs: typeof one, end: string) =>
      jobs.transition('a', (record) => {
        seen.push(record.deployment);
        return { ...record, deployment: record.deployment + end };
      });
    await append(one, '1');
    await append(two, '2');
    // What this instance remembers is not the newest any more, which storage tells.
    expect(await append(one, '3')).toMatchObject({ deployment: 'blue123' });
    expect(seen).toEqual(['blue', 'blue1', 'blue1', 'blue12']);
    // An old record is no reason to leave the job as it is.
    await append(two, '4');
    expect(
      await one.transition('a', (record) =>
        record.deployment === 'blue1234' ? { ...record, cancelRequested: true } : undefined,
      ),
    ).toMatchObject({ deployment: 'blue1234', cancelRequested: true });
  });

  it('keeps a record that is larger than a row', async () => {
    const jobs = await registry();
    const { record } = await jobs.create(spec('a'));
    const end = failed(record, 20);
    await jobs.transition('a', () => end);
    expect((await jobs.get('a'))?.value).toEqual(end);
  });

  it('lists the jobs of an endpoint in any case, newest first, in pages, over months', async () => {
    const jobs = await registry();
    expect(await jobs.list({ endpoint: 'heart' }, 2)).toEqual({ jobs: [] });
    const times = ['2026-02-03', '2026-09-30', '2026-10-01', '2026-10-02', '2026-11-01'];
    for (const time of times)
      await jobs.create(
        spec(`j${time}`, { createdAt: `${time}T00:00:00.000Z`, deployment: time < '2026-10' ? 'old' : 'new' }),
      );
    await jobs.create(spec('of-another', { endpoint: 'other' }));
    const pages: string[][] = [];
    let continuation: string | undefined;
    do {
      const page = await jobs.list({ endpoint: 'HEART' }, 2, continuation);
      pages.push(names(page));
      continuation = page.continuation;
    } while (continuation !== undefined);
    expect(pages).toEqual([['j2026-11-01', 'j2026-10-02'], ['j2026-10-01', 'j2026-09-30'], ['j2026-02-03']]);
    expect(names(await jobs.list({ endpoint: 'heart', deployment: 'old' }, 5))).toEqual(['j2026-09-30', 'j2026-02-03']);
  });

  it('lists the jobs of all endpoints, archived or not', async () => {
    const jobs = await registry();
    const at = (second: number) => new Date(Date.now() - second * 1000).toISOString();
    for (const [name, endpoint, second] of [
      ['all-1', 'One', 3],
      ['all-2', 'Two', 2],
      ['all-3', 'Two', 1],
    ] as const)
      await jobs.create(spec(name, { endpoint, createdAt: at(second) }));
    await jobs.edit('all-2', (edits) => ({ ...edits, archived: true }));
    const all = async (archived?: boolean) => {
      const page = await jobs.list(archived === undefined ? {} : { archived }, 1000);
      return names(page).filter((name) => name.startsWith('all-'));
    };
    expect([await all(), await all(false), await all(true)]).toEqual([
      ['all-3', 'all-2', 'all-1'],
      ['all-3', 'all-1'],
      ['all-2'],
    ]);
    await jobs.edit('all-2', (edits) => ({ ...edits, archived: false }));
    expect([await all(false), await all(true)]).toEqual([['all-3', 'all-2', 'all-1'], []]);
  });

  it('keeps every edit of a job, also of many at once, and none of a job that is not there', async () => {
    const jobs = await registry();
    await jobs.create(spec('edited'));
    expect(await jobs.edits('edited')).toEqual({ archived: false });
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        jobs.edit('edited', (edits) => ({ ...edits, tags: { ...edits.tags, [`t${i}`]: 'x' } })),
      ),
    );
    expect(Object.keys((await jobs.edits('edited')).tags ?? {}).sort()).toEqual(['t0', 't1', 't2', 't3', 't4']);
    await jobs.edit('nobody', (edits) => ({ ...edits, archived: true }));
    expect(await jobs.edits('nobody')).toEqual({ archived: false });
  });

  it('remembers the first reason to stop', async () => {
    const jobs = await registry();
    expect(await jobs.stopped('a')).toBeUndefined();
    await jobs.stop('a', { code: 'first', message: '1' });
    await jobs.stop('a', { code: 'second', message: '2' });
    expect(await jobs.stopped('a')).toEqual({ code: 'first', message: '1' });
  });

  it('never lets progress go back, and keeps when the first row was', async () => {
    const jobs = await registry();
    const at = (lane: number, position: number, firstRowAt: string | null) => ({
      ...{ lane, position, filesDone: position, filesFailed: 0, rows: position, recordsFailed: 0 },
      ...{ updatedAt: 'u', firstRowAt },
    });
    expect(await jobs.progress('a')).toEqual([]);
    await jobs.report('a', at(1, 5, 'first'));
    await jobs.report('a', at(1, 3, 'late'));
    await jobs.report('a', at(1, 9, 'again'));
    await jobs.report('a', at(0, 1, null));
    expect(await jobs.progress('a')).toEqual([at(0, 1, null), at(1, 9, 'first')]);
  });

  it('keeps a receipt and the signs of life of a lane, each by itself', async () => {
    const jobs = await registry();
    const at = (position: number, updatedAt: string, to?: number) => ({
      ...{ lane: 0, position, filesDone: position, filesFailed: 0, rows: position, recordsFailed: 0 },
      ...{ updatedAt, firstRowAt: null },
      ...(to === undefined ? {} : { receipt: { name: `r${to}`, to } }),
    });
    await jobs.report('a', at(5, '1'));
    await jobs.report('a', at(5, '2', 5));
    expect(await jobs.progress('a')).toEqual([at(5, '2', 5)]);
    await jobs.report('a', at(9, '3', 4));
    expect(await jobs.progress('a')).toEqual([at(9, '3', 5)]);
    await jobs.report('a', at(7, '4', 7));
    expect(await jobs.progress('a')).toEqual([at(9, '4', 7)]);
  });

  it('tells earlier generations to stop, and all of them once there is a reason', async () => {
    const jobs = await registry();
    await Promise.all([jobs.supersede('a', 3), jobs.supersede('a', 2)]);
    expect(await jobs.stopped('a')).toMatchObject({ code: 'Superseded' });
    expect(await jobs.stopped('a', 2)).toMatchObject({ code: 'Superseded' });
    expect(await jobs.stopped('a', 3)).toBeUndefined();
    await jobs.stop('a', { code: 'c', message: 'm' });
    await jobs.supersede('a', 4);
    expect(await jobs.stopped('a', 3)).toEqual({ code: 'c', message: 'm' });
    expect(await jobs.stopped('a', 4)).toEqual({ code: 'c', message: 'm' });
  });

  it('counts starts that have no end', async () => {
    const jobs = await registry();
    const first = await Promise.all([1, 2, 3].map(() => jobs.markStart('a', 'p')));
    expect(first.filter(Boolean)).toHaveLength(1);
    const again = await Promise.all([1, 2].map(() => jobs.markRestart('a', 'p')));
    expect(again.sort()).toEqual([2, 3]);
    expect(await jobs.markStart('a', 'q')).toBe(true);
    await Promise.all([1, 2, 3, 4].map(() => jobs.unmark('a', 'p')));
    expect(await jobs.markStart('a', 'p')).toBe(true);
    expect(await jobs.markRestart('a', 'new')).toBe(1);
  });

  it('knows the open jobs, page after page, until they are closed', async () => {
    const jobs = await registry();
    const createdAt = '2026-03-01T00:00:00.000Z';
    for (const name of ['open-a', 'open-b', 'open-c']) await jobs.create(spec(name, { createdAt }));
    const open = async () => {
      const all = [];
      for (let continuation: string | undefined; ;) {
        const page = await jobs.open(2, continuation);
        all.push(...page.jobs);
        if (page.continuation === undefined) return all;
        continuation = page.continuation;
      }
    };
    expect(await open()).toEqual(['open-a', 'open-b', 'open-c'].map((name) => ({ name, createdAt })));
    await jobs.close('open-b');
    await jobs.close('open-b');
    expect(await open()).toEqual(['open-a', 'open-c'].map((name) => ({ name, createdAt })));
  });

  it('gives what is due to one caller', async () => {
    const jobs = await registry();
    const first = await Promise.all([1, 2, 3].map(() => jobs.due('purge', 5000, 1000)));
    expect(first.filter(Boolean)).toHaveLength(1);
    expect([await jobs.due('purge', 5999, 1000), await jobs.due('purge', 6000, 1000)]).toEqual([false, true]);
  });

  it('changes what the record of a stopped job says, and of no other', async () => {
    const jobs = await registry();
    await jobs.create(spec('a'));
    const salvage = () => jobs.amend('a', (record) => ({ ...record, outputUri: 'o' }));
    expect(await salvage()).toBeUndefined();
    await jobs.transition('a', (record) => failed(record, 0));
    const stopped = (await jobs.get('a'))?.value;
    expect(await salvage()).toEqual({ ...stopped, outputUri: 'o' });
    expect((await jobs.get('a'))?.value).toEqual({ ...stopped, outputUri: 'o' });
    expect(await jobs.amend('none', (record) => record)).toBeUndefined();
  });

  it('reserves an output for one job until it is released or has ended', async () => {
    const jobs = await registry();
    for (const name of ['a', 'b', 'c']) await jobs.create(spec(name));
    const holders = await Promise.all(['a', 'b', 'c'].map((name) => jobs.reserve('/out?#.csv', name)));
    expect(new Set(holders).size).toBe(1);
    const [holder = ''] = holders;
    const [other = '', third = ''] = ['a', 'b', 'c'].filter((name) => name !== holder);
    expect(await jobs.reserve('/out?#.csv', holder)).toBe(holder);
    expect(await jobs.reserve('/another.csv', other)).toBe(other);
    await jobs.release('/out?#.csv', other);
    expect(await jobs.reserve('/out?#.csv', other)).toBe(holder);
    await jobs.release('/out?#.csv', holder);
    expect(await jobs.reserve('/out?#.csv', other)).toBe(other);
    await jobs.transition(other, (record) => failed(record, 0));
    expect(await jobs.reserve('/out?#.csv', third)).toBe(third);
  });
});
