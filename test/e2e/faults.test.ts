import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

/**
 * The host delivers half of all activities twice at once, and drops episodes after their activities were dispatched, as the
 * real one may (durable-design B2, B3).
 */
describe('on a host that repeats activities and loses episodes', () => {
  let app: App;
  const { files, sample } = model('matrix');
  beforeAll(async () => {
    app = await startApp({
      BATCHPOINT_CHAOS_DUPLICATE: '0.5',
      BATCHPOINT_CHAOS_GHOST: '0.3',
      BATCHPOINT_CHAOS_SEED: '7',
      BATCHPOINT_SLICE_SECONDS: '0.02',
    });
    await app.deploy('iris', files, { miniBatchSize: 1, instanceCount: 2, maxConcurrencyPerInstance: 2 });
    const [header = '', ...rows] = sample.trimEnd().split('\n');
    await app.upload(
      Object.fromEntries(
        Array.from({ length: 60 }, (_, i) => [
          `in/${String(i).padStart(2, '0')}.csv`,
          [header, ...rows.slice(0, i % 7)].join('\n'),
        ]),
      ),
    );
  });
  afterAll(() => app.stop());

  it('every job gives the same bytes: each row once, in order', async () => {
    const outputs = new Set<string | undefined>();
    for (let round = 0; round < 4; round++) {
      const { body } = await app.send('POST', '/endpoints/iris/jobs', overFolder('in/'));
      const job = await app.finished('iris', JobBody.parse(body).name);
      expect(job.error).toBeUndefined();
      outputs.add(await app.text(`azureml/${job.name}/score/predictions.csv`));
    }
    expect(outputs.size).toBe(1);
    const order = [...outputs][0]
      ?.trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(0, 2).join(','));
    expect(order).toEqual(
      Array.from({ length: 60 }, (_, i) =>
        Array.from({ length: i % 7 }, (_, row) => `${String(i).padStart(2, '0')}.csv,${row}`),
      ).flat(),
    );
  });
});
