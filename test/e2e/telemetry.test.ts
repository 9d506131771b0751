import { randomBytes } from 'node:crypto';
import { ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder } from '../support/app.ts';
import { deployLengths, putWordsPipeline } from '../support/lengths.ts';
import { caller, named, paths } from '../support/span-tree.ts';
import { tracedApp, type TracedApp } from '../support/traced-app.ts';

const SECRET = 'c2VjcmV0LXNpZ25hdHVyZQ%3D%3D';

let traced: TracedApp;
/** The bearer tokens that were sent. */
const tokens: string[] = [];

beforeAll(async () => {
  traced = await tracedApp();
  await deployLengths(traced.app);
});
afterAll(() => traced.stop());

async function submit(
  path: string,
  headers: Record<string, string>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const token = await traced.app.token();
  tokens.push(token);
  const sent = { authorization: `Bearer ${token}`, ...headers };
  const answer = await traced.app.send('POST', '/endpoints/lengths/jobs', overFolder(path, more), sent);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  return JobBody.parse(answer.body).name;
}

const uploadTexts = (path: string, texts: readonly string[]): Promise<void> =>
  traced.app.upload(Object.fromEntries(texts.map((text, i) => [`${path}/${String(i).padStart(2, '0')}.txt`, text])));

// First: a process that is killed takes its sums with it.
describe('the metrics', () => {
  it('add up to the totals of the jobs', async () => {
    await uploadTexts('sums', ['one', 'two', 'poison', 'four', 'five']);
    const names = [await submit('sums', {}), await submit('sums', {})];
    for (const name of names)
      expect((await traced.app.finished('lengths', name)).properties.properties).toMatchObject({
        'batchpoint.filesDone': '4',
        'batchpoint.filesFailed': '1',
        'batchpoint.rows': '4',
      });
    await traced.app.finished('lengths', await submit('no-such-folder', {}));
    const of = { 'batchpoint.endpoint': 'lengths', 'batchpoint.deployment': 'blue' };
    const kind = { 'batchpoint.kind': 'scoring' };
    const ended = [
      { attributes: { ...of, ...kind, 'batchpoint.state': 'completed' }, value: 2 },
      { attributes: { ...of, ...kind, 'batchpoint.state': 'failed' }, value: 1 },
    ];
    const expected: Record<string, { attributes: object; value: number }[]> = {
      'jobs.started': [{ attributes: { ...of, ...kind }, value: 3 }],
      'jobs.ended': ended,
      'job.duration': ended,
      'job.queue_wait': [{ attributes: of, value: 2 }],
      'plan.duration': [{ attributes: of, value: 3 }],
      'commit.duration': [{ attributes: of, value: 2 }],
      'mini_batch.duration': [{ attributes: of, value: 6 }],
      mini_batches: [{ attributes: of, value: 6 }],
      files: [
        { attributes: { ...of, 'batchpoint.outcome': 'done' }, value: 8 },
        { attributes: { ...of, 'batchpoint.outcome': 'failed' }, value: 2 },
      ],
      rows: [{ attributes: of, value: 8 }],
      failures: [{ attributes: { ...of, 'error.type': 'ScoringFailed' }, value: 2 }],
      input: [{ attributes: of, value: 2 * 'onetwopoisonfourfive'.length }],
    };
    const values = (name: string) =>
      traced.receiver
        .values(`batchpoint.${name}`)
        .toSorted((a, b) => JSON.stringify(a.attributes).localeCompare(JSON.stringify(b.attributes)));
    const all = () => Object.fromEntries(Object.keys(expected).map((name) => [name, values(name)]));
    await expect.poll(all, { timeout: 30_000 }).toEqual(expected);
  });
});

const SUBMIT = 'POST /endpoints/:endpoint/jobs';
const JOB = `${SUBMIT} > scoring job`;

describe('the trace of a job', () => {
  it('joins the caller with every activity and every mini-batch, and every line of its log names job and trace', async () => {
    const { traceId, spanId, traceparent } = caller();
    await uploadTexts('many', ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const job = await submit('many', { traceparent }, { maxConcurrencyPerInstance: 2 });
    expect((await traced.app.finished('lengths', job)).properties.status).toBe('Completed');
    const spans = await traced.traceOf(traceId);
    expect(paths(spans)).toEqual([
      SUBMIT,
      JOB,
      `${JOB} > commitJob`,
      `${JOB} > planJob`,
      `${JOB} > scoreSlice`,
      `${JOB} > scoreSlice > mini-batch`,
      `${JOB} > takeJob`,
    ]);
    expect(named(spans, SUBMIT)).toMatchObject([
      { parentSpanId: spanId, kind: 2, attributes: { 'http.response.status_code': 201, 'batchpoint.job': job } },
    ]);
    expect(named(spans, 'scoring job')).toMatchObject([
      {
        status: { code: 0 },
        attributes: {
          'batchpoint.job': job,
          'batchpoint.endpoint': 'lengths',
          'batchpoint.deployment': 'blue',
          'batchpoint.state': 'completed',
          'batchpoint.generation': 1,
          'batchpoint.files': 7,
          'batchpoint.rows': 7,
        },
      },
    ]);
    const miniBatches = named(spans, 'mini-batch').map(({ attributes }) => attributes['batchpoint.mini_batch']);
    expect(miniBatches.sort()).toEqual([0, 1, 2, 3]);
    const lanes = new Set(named(spans, 'scoreSlice').map(({ attributes }) => attributes['batchpoint.lane']));
    expect(lanes).toEqual(new Set([0, 1]));

    const lines = traced.lines().filter((line) => line.trace_id === traceId);
    expect(new Set(lines.map((line) => line.job))).toEqual(new Set([job]));
    expect(new Set(lines.map(({ msg }) => msg))).toEqual(
      new Set(['request', 'planned', 'slice scored', 'job completed']),
    );
    const ids = new Set(spans.map((span) => span.spanId));
    expect(lines.filter((line) => !ids.has(line.span_id ?? ''))).toEqual([]);
    expect(traced.lines().filter((line) => line.job === job && line.trace_id !== traceId)).toEqual([]);
  });

  it('has no slice for an empty input, and tells why the job failed', async () => {
    const { traceId, traceparent } = caller();
    await traced.app.finished('lengths', await submit('no-such-folder', { traceparent }));
    const spans = await traced.traceOf(traceId);
    expect(paths(spans)).toEqual([SUBMIT, JOB, `${JOB} > planJob`, `${JOB} > settleJob`, `${JOB} > takeJob`]);
    expect(named(spans, 'scoring job')).toMatchObject([
      { status: { code: 2, message: 'InputEmpty' }, attributes: { 'error.type': 'InputEmpty' } },
    ]);
  });

  it('shows a mini-batch that fails, its tries and its code, and neither its file nor its words', async () => {
    const { traceId, traceparent } = caller();
    await uploadTexts('bad', ['fine', 'fine', 'poison']);
    await traced.app.finished('lengths', await submit('bad', { traceparent }));
    const [good, bad, ...others] = named(await traced.traceOf(traceId), 'mini-batch');
    expect(others).toEqual([]);
    expect(good).toMatchObject({ status: { code: 0 }, events: [], attributes: { 'batchpoint.rows': 2 } });
    expect(bad).toMatchObject({
      status: { code: 2, message: 'ScoringFailed' },
      attributes: { 'batchpoint.files': 1, 'batchpoint.files_failed': 1, 'error.type': 'ScoringFailed' },
      events: [1, 2].map((attempt) => ({
        name: 'try failed',
        attributes: { 'batchpoint.attempt': attempt, 'error.type': 'ScoringFailed' },
      })),
    });
    const sent = traced.receiver.received.filter(({ path }) => path === '/v1/traces').map(({ body }) => body);
    expect(sent.join('\n')).not.toMatch(/poisoned|02\.txt/);
  });

  it('goes on when the host dies, and a repeat of the request is linked to it', async () => {
    const { traceId, traceparent } = caller();
    await uploadTexts(
      'long',
      Array.from({ length: 40 }, (_, i) => `text ${i}`),
    );
    const id = { 'repeatability-request-id': randomBytes(8).toString('hex') };
    const job = await submit('long', { traceparent, ...id }, { maxConcurrencyPerInstance: 1 });
    await traced.until(() => named(traced.receiver.spans, 'scoreSlice').find((span) => span.traceId === traceId));
    const killedAt = Date.now();
    await traced.killAndStart();
    const repeat = caller();
    expect(await submit('long', { traceparent: repeat.traceparent, ...id }, { maxConcurrencyPerInstance: 1 })).toBe(
      job,
    );
    expect((await traced.app.finished('lengths', job)).properties.status).toBe('Completed');
    const spans = await traced.traceOf(traceId);
    const [own] = named(spans, 'scoring job');
    expect(own?.attributes).toMatchObject({ 'batchpoint.rows': 40, 'batchpoint.state': 'completed' });
    const processes = new Set(named(spans, 'scoreSlice').map((span) => span.startTimeUnixNano > killedAt));
    expect(processes).toEqual(new Set([false, true]));
    const repeated = traced.receiver.spans.filter((span) => span.traceId === repeat.traceId);
    expect(repeated).toMatchObject([{ name: SUBMIT, links: [{ traceId, spanId: own?.spanId }] }]);
  });
});

describe('the trace of a pipeline', () => {
  it('has its steps, their commands, and the job of a step that scores', async () => {
    const { traceId, traceparent } = caller();
    await traced.app.upload({ 'words/a.txt': 'one three' });
    await putWordsPipeline(traced.app, { traceparent });
    const spans = await traced.traceOf(traceId, 2);
    const route = `${spans.find(({ kind }) => kind === 2)?.name}`;
    expect(route).toMatch(/^PUT .*\/jobs\/:job$/);
    const step = `${route} > pipeline job > runStep`;
    expect(paths(spans)).toEqual([
      route,
      `${route} > pipeline job`,
      `${route} > pipeline job > endPipeline`,
      step,
      `${step} > command`,
      `${step} > scoring job`,
      `${step} > scoring job > commitJob`,
      `${step} > scoring job > planJob`,
      `${step} > scoring job > scoreSlice`,
      `${step} > scoring job > scoreSlice > mini-batch`,
      `${step} > scoring job > takeJob`,
      `${route} > pipeline job > takePipeline`,
    ]);
    expect(named(spans, 'pipeline job')).toMatchObject([
      { attributes: { 'batchpoint.job': 'words', 'batchpoint.state': 'completed', 'batchpoint.steps': 2 } },
    ]);
    expect(named(spans, 'command')).toMatchObject([{ attributes: { 'batchpoint.step': 'cut' } }]);
    const jobs = new Set(traced.lines().flatMap((line) => (line.trace_id === traceId ? [line.job] : [])));
    expect(jobs).toEqual(new Set(['words', named(spans, 'scoring job')[0]?.attributes['batchpoint.job']]));
  });
});

describe('the span of a request', () => {
  it('has the route, and neither path, query nor body', async () => {
    const { traceId, traceparent } = caller();
    const uri = `https://elsewhere.blob.core.windows.net/data/a.csv?sig=${SECRET}`;
    const refused = await traced.app.send(
      'POST',
      '/endpoints/lengths/jobs',
      { properties: { inputData: { in: { jobInputType: 'UriFile', uri } } } },
      { traceparent },
    );
    expect(refused.status).toBe(403);
    expect((await traced.app.send('GET', `/logs/a/b?sig=${SECRET}`, undefined, { traceparent })).status).toBe(404);
    const spans = await traced.until(() => {
      const found = traced.receiver.spans.filter((span) => span.traceId === traceId);
      return found.length === 2 ? found : undefined;
    });
    expect(spans.map(({ name, status, attributes }) => ({ name, status, attributes }))).toEqual(
      [SUBMIT, 'GET /logs/:job/*'].map((name, i) => ({
        ...{ name, status: { code: 0 } },
        attributes: {
          'http.request.method': name.split(' ')[0],
          'http.route': name.split(' ')[1],
          'http.response.status_code': [403, 404][i],
        },
      })),
    );
  });
});

it('sends no token and no signature, and prints none', async () => {
  const { app } = traced;
  await uploadTexts('signed', ['text']);
  const signed = new URL(
    await app.data.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rl'),
      expiresOn: new Date(Date.now() + 7 * 86_400_000),
    }),
  );
  signed.pathname += '/signed/';
  const { traceId, traceparent } = caller();
  const inputData = { in: { jobInputType: 'UriFolder', uri: signed.href } };
  const job = await submit('signed', { traceparent }, { inputData });
  expect((await app.finished('lengths', job)).properties.status).toBe('Completed');
  expect(named(await traced.traceOf(traceId), 'scoring job')).toMatchObject([{ attributes: { 'batchpoint.rows': 1 } }]);
  await traced.end();

  const everything = traced.receiver.received.map(({ body }) => body).join('\n') + traced.printed();
  expect(everything).toContain(job);
  const signature = signed.searchParams.get('sig') ?? '';
  const secrets = [
    SECRET,
    signature,
    encodeURIComponent(signature),
    ...tokens.map((token) => token.split('.')[2] ?? ''),
  ];
  expect(secrets.filter((secret) => secret.length < 20 || everything.includes(secret))).toEqual([]);
});
