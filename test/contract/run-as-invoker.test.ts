import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { triggerCaller } from '../../shared/auth/caller.ts';
import { InvocationBody } from '../../shared/domain/invocation.ts';
import { invokeEndpoint } from '../../shared/steps/invoke-endpoint.ts';
import { DELEGATED_MS } from '../../shared/steps/identity/delegations.ts';
import { salvageJob } from '../../shared/steps/salvage-job.ts';
import { scoreSlice } from '../../shared/steps/score-slice.ts';
import { settleJob } from '../../shared/steps/settle-job.ts';
import { JOBS_CONTAINER } from '../../shared/storage/registry/jobs.ts';
import { errorOf, type Answer } from '../unit/api/api-world.ts';
import { invokerWorlds, JOBS, LAKE, lentTo, OID, OWN, textOf, type InvokerWorld } from '../support/invoker-world.ts';

const { world: freshWorld } = invokerWorlds();

const SIGNATURE = /sig(=|%3D|")/i;

/** Over the lake's folder, into a file of its own. */
const asked = (output = `out/${randomUUID()}.csv`) => ({
  inputData: { any: { uri: `${LAKE}/in/`, jobInputType: 'UriFolder' } },
  outputData: { o: { uri: `${LAKE}/${output}`, jobOutputType: 'UriFile' } },
});

const nameOf = ({ status, body }: Answer): string => {
  expect(status, JSON.stringify(body)).toBe(201);
  return (body as { name: string }).name;
};

async function invoked(world: InvokerWorld, output?: string): Promise<string> {
  return nameOf(await world.invoke(await world.person(), asked(output)));
}

describe('a job of a deployment that runs as its invoker', () => {
  it('reads and writes as the person who asked, and never as the app', async () => {
    const world = await freshWorld();
    const token = await world.person();
    const before = world.signIn.asked.length;
    const job = nameOf(await world.invoke(token, asked('out/one.csv')));
    expect(world.signIn.asked.slice(before)).toEqual([
      expect.objectContaining({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        requested_token_use: 'on_behalf_of',
        assertion: token,
        scope: expect.stringContaining(`${new URL(world.endpoint).origin}/.default`) as string,
      }),
    ]);
    await world.run(job);
    expect(await world.text('out/one.csv')).toBe('file,row,value\na.csv,0,in/a.csv\nb.csv,0,in/b.csv\n');
    expect(await world.text('out/one.csv.errors.jsonl')).toBeUndefined();
    expect((await world.jobs.get(job))?.value).toMatchObject({ state: 'completed' });
  });

  it('shows who asked, and as whom it runs', async () => {
    const world = await freshWorld();
    const answer = await world.invoke(await world.person(), asked());
    expect(answer.body).toMatchObject({
      properties: {
        properties: {
          'batchpoint.createdBy': `${world.tenant.tenantId}:${OID}`,
          'batchpoint.createdByName': 'A Person',
          'batchpoint.runAs': 'invoker',
        },
      },
    });
  });

  it('is lent two containers for its life, to read one and to write the other', async () => {
    const world = await freshWorld();
    const job = await invoked(world);
    const access = await lentTo(world, job);
    const [input, output] = [new URL(access.input).searchParams, new URL(access.output).searchParams];
    expect([input.get('sp'), input.get('sr'), input.get('spr'), input.get('skoid')]).toEqual(['rl', 'c', 'https', OID]);
    expect([output.get('sp'), output.get('sr'), output.get('spr'), output.get('skoid')]).toEqual([
      'rcwd',
      'c',
      'https',
      OID,
    ]);
    const days = (Date.parse(input.get('se') ?? '') - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6);
    expect(days).toBeLessThan(7);
    expect(DELEGATED_MS).toBeLessThan(7 * 86_400_000);
    const storage = await world.access.open(job, (await world.jobs.spec(job))?.delegation ?? '');
    const a = { container: 'data', name: 'in/a.csv' };
    expect(await textOf(storage.input, a)).toBe('in/a.csv\n');
    const refused = { status: 403 };
    await expect(storage.input.write(a, Buffer.from('x'))).rejects.toMatchObject(refused);
    await expect(storage.input.read({ container: 'secrets', name: 'in/a.csv' })).rejects.toMatchObject(refused);
    await expect(storage.output.write({ container: 'secrets', name: 'x' }, Buffer.from('x'))).rejects.toMatchObject(
      refused,
    );
    await expect(storage.output.list('data')[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
  });

  it('leaves no signature and no token in what is stored, logged, answered or told to Durable Functions', async () => {
    const world = await freshWorld();
    const token = await world.person();
    const answer = await world.invoke(token, asked());
    const job = nameOf(answer);
    const sealed: string[] = [];
    for (const name of await world.kept()) sealed.push(await textOf(world.safe, { container: JOBS_CONTAINER, name }));
    const history = await world.run(job);
    const stored: string[] = [];
    for await (const { name } of world.systemBlobs.list(JOBS_CONTAINER))
      stored.push(await textOf(world.systemBlobs, { container: JOBS_CONTAINER, name }));
    expect(stored.length).toBeGreaterThan(2);
    const shown = (await world.call('GET', `${JOBS}/${job}`, { headers: { authorization: `Bearer ${token}` } })).body;
    const all = JSON.stringify([
      answer.body,
      shown,
      history,
      sealed,
      stored,
      world.lines,
      world.lent,
      await world.jobs.spec(job),
    ]);
    expect(all).not.toMatch(SIGNATURE);
    expect(all).not.toContain(token);
    expect(all).not.toContain(token.split('.')[2]);
  });

  it('has no access any more when it has ended, and nothing is salvaged of it', async () => {
    const world = await freshWorld();
    await world.lake.write({ container: 'data', name: 'taken.csv' }, Buffer.from('x'));
    const [done, failed] = [await invoked(world), await invoked(world, 'taken.csv')];
    expect(await world.kept()).toHaveLength(2);
    await world.run(done);
    expect(await world.kept()).toEqual([`_access/${(await world.jobs.spec(failed))?.delegation ?? ''}.json`]);
    const [plan] = await world.run(failed);
    expect(plan).toMatchObject({ ok: false, reason: { code: 'OutputExists' } });
    await settleJob(world.jobDeps, { job: failed, reason: { code: 'OutputExists', message: 'It is there.' } });
    expect(await world.kept()).toEqual([]);
    await expect(
      salvageJob({ ...world.jobDeps, orchestrations: world.deps.orchestrations }, failed),
    ).rejects.toMatchObject({
      status: 409,
    });
  });

  it('that is cancelled loses its access at once, and ends as cancelled', async () => {
    const world = await freshWorld();
    const job = await invoked(world);
    await world.plan(job);
    const headers = { authorization: `Bearer ${await world.person()}` };
    expect((await world.call('POST', `${JOBS}/${job}/cancel`, { headers })).status).toBe(200);
    expect(await world.kept()).toEqual([]);
    const slice = await scoreSlice(world.jobDeps, { job, lane: 0, position: null, receipt: null });
    expect(slice).toMatchObject({ ok: false, reason: { code: 'Canceled' } });
    await world.commit(job, [{ ok: false, receipt: null, reason: slice.reason }]);
    expect((await world.jobs.get(job))?.value).toMatchObject({ state: 'canceled', reason: { code: 'Canceled' } });
  });

  it('whose access is gone fails with that reason', async () => {
    const world = await freshWorld();
    const job = await invoked(world);
    await world.plan(job);
    await world.access.remove((await world.jobs.spec(job))?.delegation ?? '');
    expect(await scoreSlice(world.jobDeps, { job, lane: 0, position: null, receipt: null })).toMatchObject({
      ok: false,
      reason: { code: 'AccessEnded' },
    });
  });

  it('that was never made leaves nothing for ever: what it was lent is removed once it is good for nothing', async () => {
    let ms = Date.now();
    const world = await freshWorld({ clock: { now: () => ms } });
    await invoked(world);
    await world.access.removeExpired();
    expect(await world.kept()).toHaveLength(1);
    ms += DELEGATED_MS;
    await world.access.removeExpired();
    expect(await world.kept()).toEqual([]);
  });

  it('is asked for once by a request id, whose repeats exchange nothing', async () => {
    const world = await freshWorld();
    const token = await world.person();
    const properties = asked();
    const send = () => world.invoke(token, properties, { 'repeatability-request-id': 'one' });
    const names = (await Promise.all([send(), send()])).map(nameOf);
    expect(new Set(names).size).toBe(1);
    expect(await world.kept()).toHaveLength(1);
    const before = world.signIn.asked.length;
    expect(nameOf(await send())).toBe(names[0]);
    expect(world.signIn.asked).toHaveLength(before);
    await world.run(names[0] ?? '');
    expect((await world.jobs.get(names[0] ?? ''))?.value.state).toBe('completed');
  });
});

describe('where the identity of the invoker cannot be had', () => {
  /** The refusal, after which nothing is changed. */
  async function refused(world: InvokerWorld, token: string, properties: object = asked()) {
    const answer = await world.invoke(token, properties);
    expect([world.started, (await world.jobs.list({}, 1)).jobs]).toEqual([[], []]);
    expect(await world.kept()).toEqual([]);
    expect(JSON.stringify([answer.body, world.lines])).not.toContain(token);
    return errorOf(answer) as { status: number; code: string; message: string };
  }
  const unavailable = (message: string) => ({
    status: 400,
    code: 'IdentityNotAvailable',
    message: expect.stringContaining(message) as string,
  });

  it("is an app's own token", async () => {
    const world = await freshWorld();
    const token = await world.tenant.token(OWN, { oid: OID, roles: ['Batchpoint.Invoker'] });
    expect(await refused(world, token)).toMatchObject(unavailable("the token is an app's own"));
  });

  it('is a token for another service', async () => {
    const world = await freshWorld();
    const token = await world.tenant.token('https://ml.azure.com', { oid: OID, scp: 'user_impersonation' });
    expect(await refused(world, token)).toMatchObject(unavailable('the token was made for another service'));
  });

  it('is an app that cannot exchange tokens', async () => {
    const world = await freshWorld({ exchange: undefined });
    expect(await refused(world, await world.person())).toMatchObject(
      unavailable('the app is not set up to exchange tokens'),
    );
  });

  it('is a tenant that refuses', async () => {
    const world = await freshWorld();
    const body = JSON.stringify({
      error: 'invalid_grant',
      error_description: 'AADSTS65001: The user has not consented.',
    });
    world.signIn.refuse({ status: 400, body });
    try {
      expect(await refused(world, await world.person())).toMatchObject(unavailable('(AADSTS65001)'));
    } finally {
      world.signIn.refuse(undefined);
    }
  });

  it('is a tenant that does not answer: that is a 503', async () => {
    const world = await freshWorld();
    world.signIn.refuse({ status: 400, body: '{}' });
    try {
      expect(await refused(world, await world.person())).toMatchObject({ status: 503, code: 'ServiceUnavailable' });
    } finally {
      world.signIn.refuse(undefined);
    }
  });

  it('is storage that gives the person no delegation key', async () => {
    const world = await freshWorld();
    world.signIn.mistake('https://other.blob.core.windows.net');
    try {
      expect(await refused(world, await world.person())).toMatchObject(
        unavailable('storage refuses the caller a user delegation key'),
      );
    } finally {
      world.signIn.mistake(undefined);
    }
  });

  it('is a datastore without TLS', async () => {
    const world = await freshWorld();
    expect(await refused(world, await world.person(), { inputData: asked().inputData })).toMatchObject(
      unavailable("datastore 'own' is not reached by https"),
    );
  });

  it('is a signed URL, which brings the rights of somebody else', async () => {
    const world = await freshWorld();
    const uri = `${world.endpoint}/data/in/?sv=2025-07-05&sr=c&sp=rl&se=2099-01-01&sig=secret`;
    const inputData = { any: { uri, jobInputType: 'UriFolder' } };
    expect(await refused(world, await world.person(), { ...asked(), inputData })).toMatchObject({
      status: 400,
      message: expect.stringContaining('and where its jobs run as the app') as string,
    });
  });

  it('is a queue', async () => {
    const world = await freshWorld();
    const { properties: invocation } = InvocationBody.parse({ properties: asked() });
    const caller = triggerCaller('batchpoint:queue', []);
    const request = { endpoint: 'heart', deployment: undefined, invocation, requestId: undefined, caller };
    await expect(invokeEndpoint(world.deps, request)).rejects.toMatchObject(
      unavailable('queues and steps of pipelines bring no token'),
    );
  });
});
