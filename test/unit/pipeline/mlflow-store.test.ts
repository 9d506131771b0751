import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stepSummary } from '../../../shared/domain/step-tracking.ts';
import { readRegistered } from '../../../shared/pipeline/mlflow-registry.ts';
import { readRuns } from '../../../shared/pipeline/mlflow-runs.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlflow-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const runMeta = (id: string, start: number, stage = 'active') =>
  `run_id: ${id}\nrun_name: name-${id}\nstart_time: ${start}\nlifecycle_stage: ${stage}\nend_time: null\n`;

const read = () => readRuns(join(folder, 'store'));
const registered = () => readRegistered(join(folder, 'registry'), join(folder, 'store'));

describe('what a step told MLflow', () => {
  it('is nothing without a store', async () => {
    expect(await read()).toEqual({ runs: [], models: [] });
    expect(await registered()).toEqual([]);
  });

  it('is its runs with parameters, tags and the history of each metric', async () => {
    await put({
      'store/0/meta.yaml': 'experiment_id: "0"\n',
      'store/0/abc/meta.yaml': runMeta('abc', 5),
      'store/0/abc/params/depth': '3',
      'store/0/abc/params/model/kind': 'tree',
      'store/0/abc/tags/mlflow.runName': 'ignored',
      'store/0/abc/tags/note': 'two\nlines',
      'store/0/abc/metrics/auc': '20 0.5 0\n30 0.75 1\n30 0.75 1\n25 0.6 1 data d1\n',
      'store/0/abc/metrics/loss': '1 nan 0\n2 -inf 1\n3 inf 2\n4 1e-05 3\nhalf a li',
      'store/0/abc/artifacts/model.bin': 'x',
      'store/0/datasets/d1/meta.yaml': 'digest: x\n',
      'store/0/models/m-1/meta.yaml': 'model_id: m-1\nname: tree\nsource_run_id: abc\n',
    });
    expect(await read()).toEqual({
      runs: [
        {
          id: 'abc',
          name: 'name-abc',
          parent: null,
          startedAt: 5,
          params: { depth: '3', 'model/kind': 'tree' },
          tags: { 'mlflow.runName': 'ignored', note: 'two\nlines' },
          metrics: {
            auc: [
              { value: 0.5, step: 0, at: 20 },
              { value: 0.6, step: 1, at: 25 },
              { value: 0.75, step: 1, at: 30 },
            ],
            loss: [
              { value: 'NaN', step: 0, at: 1 },
              { value: '-Infinity', step: 1, at: 2 },
              { value: 'Infinity', step: 2, at: 3 },
              { value: 0.00001, step: 3, at: 4 },
            ],
          },
        },
      ],
      models: [{ id: 'm-1', name: 'tree', run: 'abc' }],
    });
  });

  it('holds the runs of all experiments in order, but no deleted ones', async () => {
    await put({
      'store/0/b/meta.yaml': runMeta('b', 9),
      'store/0/gone/meta.yaml': runMeta('gone', 1, 'deleted'),
      'store/.trash/1/old/meta.yaml': runMeta('old', 1),
      'store/77/a/meta.yaml': runMeta('a', 3),
    });
    expect((await read()).runs.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('is as a whole what the outer and the later runs say', async () => {
    await put({
      'store/0/outer/meta.yaml': runMeta('outer', 1),
      'store/0/outer/metrics/auc': '1 0.9 0\n',
      'store/0/outer/params/kind': 'outer',
      'store/0/inner/meta.yaml': runMeta('inner', 2),
      'store/0/inner/tags/mlflow.parentRunId': 'outer',
      'store/0/inner/metrics/auc': '1 0.1 0\n',
      'store/0/inner/metrics/fold': '1 3 0\n',
      'store/0/inner/params/kind': 'inner',
      'store/0/later/meta.yaml': runMeta('later', 3),
      'store/0/later/params/seed': '7',
    });
    expect(stepSummary(await read())).toEqual({ params: { kind: 'outer', seed: '7' }, metrics: { auc: 0.9, fold: 3 } });
  });

  it('never follows a link', async () => {
    await put({ 'store/0/abc/meta.yaml': runMeta('abc', 1), secret: 'secret', 'store/0/abc/params/a': '1' });
    await symlink(join(folder, 'secret'), join(folder, 'store/0/abc/params/b'));
    await symlink(folder, join(folder, 'store/0/abc/tags'));
    expect((await read()).runs).toMatchObject([{ params: { a: '1' }, tags: {} }]);
  });

  it('cannot be read when it is not as MLflow writes it', async () => {
    await put({ 'store/0/abc/meta.yaml': 'run_id: [1' });
    await expect(read()).rejects.toMatchObject({ name: 'JobFault', code: 'TrackingUnreadable' });
  });
});

describe('the models that a step registered', () => {
  const version = (name: string, number: number, place: string) => ({
    [`registry/models/${name}/meta.yaml`]: `name: ${name}\n`,
    [`registry/models/${name}/version-${number}/meta.yaml`]: `name: ${name}\nversion: ${number}\n${place}\n`,
  });

  it('are its versions, wherever in the store their files lie', async () => {
    const files = pathToFileURL(join(folder, 'a b')).href;
    await put({
      'store/0/models/m-1/meta.yaml': 'model_id: m-1\nname: x\n',
      'store/0/run1/meta.yaml': runMeta('run1', 1),
      ...version('zebra', 10, `source: models:/m-1`),
      ...version('zebra', 9, `source: runs:/run1/model/x`),
      ...version('heart', 1, `source: models:/m-1\nstorage_location: ${files}\ndescription: mine`),
      'registry/models/heart/version-1/tags/stage': 'test',
    });
    expect(await registered()).toEqual([
      { name: 'heart', version: 1, description: 'mine', tags: { stage: 'test' }, folder: join(folder, 'a b') },
      {
        name: 'zebra',
        version: 9,
        description: null,
        tags: {},
        folder: join(folder, 'store/0/run1/artifacts/model/x'),
      },
      { name: 'zebra', version: 10, description: null, tags: {}, folder: join(folder, 'store/0/models/m-1/artifacts') },
    ]);
  });

  it.each(['s3://bucket/model', 'models:/other/1', 'file://host/share'])('cannot be of %s', async (source) => {
    await put(version('heart', 1, `source: ${source}`));
    await expect(registered()).rejects.toMatchObject({ name: 'JobFault', code: 'ModelNotFound' });
  });
});
