import { describe, expect, it } from 'vitest';
import { parseDataUri } from '../../../shared/domain/uri.ts';
import { uriRules } from '../../../shared/steps/datastore-source.ts';
import { planJob, takeJob, type PlanAnswer } from '../../../shared/steps/plan-job.ts';
import { jobSecrets } from '../../../shared/storage/registry/job-secrets.ts';
import { localWrapping } from '../../../shared/storage/sealing/local-wrapping.ts';
import { signedUrls, withSignedUrls } from '../../../shared/steps/signed-urls.ts';
import { numbered } from '../../support/job-world.ts';
import { watchWorld } from '../../support/watch-world.ts';

const ENDPOINT = 'https://account.blob.core.windows.net';
const OUTPUT = `${ENDPOINT}/data/out/predictions.csv`;
const SIGNATURE = 'sv=2024-11-04&sr=c&sp=rwd&se=2099-01-01&sig=c2VjcmV0';

/** A world whose jobs may write by signed URLs to the container that is its datastore, too. */
async function signedWorld() {
  const world = await watchWorld();
  await world.put(numbered(1));
  const signed = signedUrls({
    secrets: jobSecrets(
      world.table,
      localWrapping(() => Promise.resolve(new Uint8Array(32))),
    ),
    accounts: [{ account: 'account', endpoint: ENDPOINT }],
    workspace: world.deps.workspace,
    open: (serviceUri) => {
      expect(serviceUri).toBe(`${ENDPOINT}?${SIGNATURE}`);
      return world.data;
    },
    clock: world.clock,
  });
  const deps = world.process({ datastores: withSignedUrls(world.deps.datastores, signed) });
  const output = { name: 'out', kind: 'UriFile', uri: OUTPUT, mode: 'ReadWriteMount', description: null } as const;
  return {
    ...world,
    signed,
    async plan(job: string, isSigned = true): Promise<PlanAnswer> {
      if (isSigned) await signed.check('output', output, SIGNATURE).keep(job);
      await world.accept(job, {}, { output: isSigned ? { ...output, signed: true } : output });
      await takeJob(deps, { job, execution: 'e' });
      return planJob(deps, { job, execution: 'e' });
    },
  };
}

describe('an output by a signed URL', () => {
  it('is planned without a datastore', async () => {
    const world = await signedWorld();
    expect(await world.plan('signed')).toMatchObject({ ok: true });
  });

  it('is refused where a deployment watches', async () => {
    const world = await signedWorld();
    await world.watch({ prefix: 'out' });
    expect(await world.plan('signed')).toMatchObject({ ok: false, reason: { code: 'OutputWatched' } });
  });

  it('is reserved like any other way to the same blob', async () => {
    const world = await signedWorld();
    expect(await world.plan('first', false)).toMatchObject({ ok: true });
    expect(await world.plan('signed')).toMatchObject({ ok: false, reason: { code: 'OutputReserved' } });
  });

  it('is nothing that a URI could name', async () => {
    const world = await signedWorld();
    await world.plan('signed');
    const rules = await uriRules({ ...world.deps, datastores: withSignedUrls(world.deps.datastores, world.signed) });
    for (const uri of [
      'azureml://datastores/signed:signed:output/paths/x',
      'azureml://datastores/signed%3Asigned%3Aoutput/paths/x',
    ])
      expect(() => parseDataUri(uri, rules, 'uri')).toThrow('does not lie in a datastore of this workspace');
    expect(await world.signed.store('signed:signed:output')).toMatchObject({ address: { container: 'data' } });
    expect(await world.signed.store('signed:other:output')).toBeUndefined();
    expect(await world.signed.store('signed:signed:input')).toBeUndefined();
  });
});
