import { describe, expect, it } from 'vitest';
import { datastoreSource } from '../../../shared/steps/datastore-source.ts';
import { childRunOf } from '../../../shared/domain/child-run.ts';
import { ARTIFACT_STORE } from '../../../shared/domain/log-files.ts';
import { withArtifactStore } from '../../../shared/steps/artifact-store.ts';
import { jobLogChunks } from '../../../shared/steps/job-log-chunks.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { settleJob } from '../../../shared/steps/settle-job.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { collect } from '../../../shared/storage/json-blobs.ts';
import { StorageFault, type Blobs } from '../../../shared/storage/ports.ts';
import { JOBS_CONTAINER } from '../../../shared/storage/registry/jobs.ts';
import { jobWorld, numbered, planned, type JobWorld } from '../../support/job-world.ts';

const text = async (world: JobWorld, job: string): Promise<string> =>
  new TextDecoder().decode(await world.deps.logs.read(job));

/** Lines without their time. */
const lines = async (world: JobWorld, job: string): Promise<string[]> =>
  (await text(world, job))
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ''));

describe('the log of a job', () => {
  it('tells what was planned, what each slice did and how the job ended', async () => {
    const world = jobWorld();
    await world.put(numbered(3));
    await world.accept('job-1');
    await world.run('job-1');
    expect(await lines(world, 'job-1')).toEqual([
      'INFO  job planned files=3 miniBatches=3 lanes=1 model=m:1 output=out/predictions.csv',
      'INFO  slice scored lane=0 from=0 to=3 rows=3',
      'INFO  job completed output=azureml://datastores/store/paths/out/predictions.csv',
      'INFO  totals files=3 filesDone=3 filesFailed=0 rows=3 recordsFailed=0',
    ]);
  });

  it('names the file that failed, and why', async () => {
    const world = jobWorld();
    const random = `x${Math.random().toString(36).slice(2)}`;
    await world.put({ ...numbered(1), [`in/${random}.csv`]: 'crash\n' });
    await world.accept('job-1', { maxRetries: 2 });
    await world.run('job-1');
    const told = await lines(world, 'job-1');
    expect(told).toContain('WARN  mini-batch failed miniBatch=1 attempt=2 error=the engine crashed');
    expect(told).toContain(`WARN  ${random}.csv failed: the engine crashed (ScoringFailed)`);
  });

  it('ends with the reason when the job fails, also before it was planned', async () => {
    const world = jobWorld();
    await world.accept('job-1');
    await world.run('job-1');
    expect(await lines(world, 'job-1')).toEqual([
      "ERROR job failed: The input folder 'in' in datastore store is empty or does not exist. code=InputEmpty",
    ]);
  });

  it('ends once, whatever settles the job again', async () => {
    const world = jobWorld();
    await world.accept('job-1');
    await world.run('job-1');
    await settleJob(world.deps, { job: 'job-1', reason: { code: 'Late', message: 'too late' } });
    expect(await text(world, 'job-1')).not.toContain('too late');
  });

  it('is quieter with loggingLevel Warning', async () => {
    const world = jobWorld();
    await world.put(numbered(1));
    await world.accept('job-1', { loggingLevel: 'Warning' });
    await world.run('job-1');
    expect(await text(world, 'job-1')).not.toContain('slice scored');
  });

  it('keeps what a slice printed before it threw', async () => {
    const world = jobWorld();
    await world.put(numbered(1));
    await world.accept('job-1');
    await planned(world, 'job-1');
    const broken = world.process({ engine: () => Promise.reject(new Error('no memory')) });
    const slice = { job: 'job-1', lane: 0, position: null, receipt: null };
    await expect(scoreSlice(broken, slice)).rejects.toThrow('no memory');
    expect((await lines(world, 'job-1')).at(-1)).toBe(
      'ERROR slice failed and is tried again lane=0 from=0 error=no memory',
    );
  });

  it('costs the job nothing but its lines when it cannot be written', async () => {
    const world = jobWorld({ system: (blobs) => ({ ...blobs, write: failLogs(blobs) }) });
    await world.put(numbered(2));
    await world.accept('job-1');
    expect(await world.run('job-1')).toMatchObject({ state: 'completed' });
    expect(await text(world, 'job-1')).toBe('');
  });

  it('is one write for a slice, however many mini-batches it has', async () => {
    const written: string[] = [];
    const world = jobWorld({
      system: (blobs) => ({
        ...blobs,
        write: (ref, ...rest) => (written.push(ref.name), blobs.write(ref, ...rest)),
      }),
    });
    await world.put(numbered(40));
    await world.accept('job-1');
    await world.run('job-1');
    expect(written.filter((name) => name.includes('/log/'))).toEqual([
      'job-1/log/00000000',
      'job-1/log/00000001',
      'job-1/log/00000002',
    ]);
  });
});

const failLogs =
  (blobs: Blobs): Blobs['write'] =>
  async (ref, ...rest) => {
    if (ref.name.includes('/log/')) throw new StorageFault('write', 500, 'InternalError');
    return blobs.write(ref, ...rest);
  };

describe('a log of chunks', () => {
  async function storage() {
    const blobs = memoryBlobs();
    await blobs.ensureContainer(JOBS_CONTAINER);
    return blobs;
  }
  const read = async (logs: ReturnType<typeof jobLogChunks>) => new TextDecoder().decode(await logs.read('j'));

  it('is empty at first, and stays so when nothing is printed', async () => {
    const logs = jobLogChunks(await storage());
    await logs.append('j', []);
    expect(await read(logs)).toBe('');
  });

  it('only grows, whoever writes and reads', async () => {
    const blobs = await storage();
    const writers = Array.from({ length: 4 }, () => jobLogChunks(blobs));
    const [one = jobLogChunks(blobs)] = writers;
    let before = '';
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        writers.map((logs, writer) => logs.append('j', [`${writer} ${round} a`, `${writer} ${round} b`])),
      );
      const now = await read(one);
      expect(now.startsWith(before)).toBe(true);
      expect(now).toBe(await read(jobLogChunks(blobs)));
      before = now;
    }
    const expected = writers.flatMap((_, writer) => Array.from({ length: 5 }, (_, round) => `${writer} ${round} a`));
    expect(
      before
        .split('\n')
        .filter((line) => line.endsWith('a'))
        .sort(),
    ).toEqual(expected.sort());
    expect(before.split('\n')).toHaveLength(4 * 5 * 2 + 1);
  });

  it("is not read for one's own last lines, unless others have written before them", async () => {
    const blobs = await storage();
    let reads = 0;
    const one = jobLogChunks({ ...blobs, read: (...of) => (reads++, blobs.read(...of)) });
    const own = async () => new TextDecoder().decode(await one.readOwn('j'));
    await one.append('j', ['1']);
    await one.append('j', ['2']);
    expect([await own(), reads]).toEqual(['1\n2\n', 0]);
    await jobLogChunks(blobs).append('j', ['theirs']);
    await one.append('j', ['3']);
    expect(await own()).toBe('1\n2\ntheirs\n3\n');
    const long = 'x'.repeat(100_000);
    await one.append('j', [long]);
    expect(await own()).toBe(`1\n2\ntheirs\n3\n${long}\n`);
    expect(await read(jobLogChunks(blobs))).toBe(await own());
  });

  it('goes on after a fault of storage', async () => {
    const blobs = await storage();
    let fail = true;
    const logs = jobLogChunks({
      ...blobs,
      write: (...args) => (fail ? Promise.reject(new StorageFault('write', 0, 'ECONNRESET')) : blobs.write(...args)),
    });
    await expect(logs.append('j', ['lost'])).rejects.toThrow('ECONNRESET');
    fail = false;
    await logs.append('j', ['kept']);
    expect(await read(logs)).toBe('kept\n');
  });
});

describe('the artifact store', () => {
  it('is beside the datastores of the settings, unless they name one', () => {
    const data = { name: 'data', connection: 'c', container: 'd' };
    const own = { name: 'WorkspaceArtifactStore', connection: 'x', container: 'y' };
    expect(withArtifactStore([])).toEqual([]);
    expect(withArtifactStore([data])).toEqual([data, { name: ARTIFACT_STORE, connection: 'c', container: 'azureml' }]);
    expect(withArtifactStore([data, own])).toEqual([data, own]);
  });

  it('has the log of a job that ended, for the job and its child run', async () => {
    const world = jobWorld();
    const blobs = memoryBlobs();
    const address = { name: ARTIFACT_STORE, account: 'account', container: 'azureml', endpoint: 'https://a.invalid' };
    const deps = world.process({
      datastores: datastoreSource({
        configured: [world.deps.datastores.default, { address, blobs }],
        registry: world.deps.registry,
        open: () => undefined,
        clock: world.deps.clock,
      }),
    });
    await world.accept('job-1');
    await settleJob(deps, { job: 'job-1', reason: { code: 'Odd', message: 'It was odd.' } });
    const stored = async (name: string) => {
      const found = await blobs.read({ container: 'azureml', name });
      return found && new TextDecoder().decode(await collect(found.body));
    };
    const log = await text(world, 'job-1');
    expect(log).toContain('job failed: It was odd. code=Odd');
    expect(await stored('ExperimentRun/dcid.job-1/logs/azureml/executionlogs.txt')).toBe(log);
    expect(await stored(`ExperimentRun/dcid.${childRunOf('job-1')}/user_logs/std_log.txt`)).toBe(log);
  });
});
