import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepManifest } from '../../../../shared/steps/pipeline/step-manifest.ts';
import { azureBlobs } from '../../../../shared/storage/azure-blobs.ts';
import { startAzurite } from '../../../support/azurite.ts';
import { withFaults, type FaultPlan } from '../../../support/faulty-blobs.ts';
import { CONTAINER, output, stepWorld, type StepWorld } from '../../../support/step-world.ts';

let world: StepWorld;
beforeEach(async () => {
  world = await stepWorld();
});
afterEach(() => world.close());

const outputs = { out: output('out') };

async function made(script: string): Promise<StepManifest> {
  const outcome = await world.run(script, { outputs });
  if (!outcome.ok) throw new Error(outcome.reason.message);
  return outcome.manifest;
}

const writes = (mark: string) => `for name in a b c; do echo -n "${mark}-$name" > "\${{outputs.out}}/$name"; done`;
const written = (mark: string) => ({ 'out/a': `${mark}-a`, 'out/b': `${mark}-b`, 'out/c': `${mark}-c` });

async function faultyWorld(plans: readonly FaultPlan[]): Promise<void> {
  await world.close();
  world = await stepWorld(({ datastore }) => {
    const inner = datastore('store');
    const faulty = inner && { ...inner, blobs: withFaults(inner.blobs, plans) };
    return { datastore: () => faulty };
  });
}

it('appear in Azurite as in memory', async () => {
  const azurite = await startAzurite();
  try {
    await world.close();
    world = await stepWorld(undefined, azureBlobs(azurite));
    await world.put({ 'out/a': 'old' });
    const [, winner] = await Promise.all([made(writes('one')), made(`${writes('two')}; : > "\${{outputs.out}}/none"`)]);
    await world.commit(winner);
    await world.commit(winner);
    await made(writes('late'));
    expect(await world.files()).toEqual({ ...written('two'), 'out/none': '' });
  } finally {
    await azurite.stop();
  }
});

describe('the outputs of a step', () => {
  it('of two attempts at once are those of the winner alone', async () => {
    const [one, two] = await Promise.all([made(writes('one')), made(writes('two'))]);
    await world.commit(two);
    expect(await world.files()).toEqual(written('two'));
    expect(one.outputs['out']?.files.map(({ blob }) => blob)).toEqual(['out/a', 'out/b', 'out/c']);
  });

  it('of an attempt that staged again after the winner was committed stay unseen', async () => {
    await world.commit(await made(writes('winner')));
    await made(writes('late'));
    expect(await world.files()).toEqual(written('winner'));
  });

  it('are completed by a repeat after a crash between them', async () => {
    await faultyWorld([
      { operation: 'commitBlocks', name: /b$/, fault: { kind: 'refuse', status: 403, code: 'Forbidden' } },
    ]);
    const manifest = await made(writes('x'));
    await expect(world.commit(manifest)).rejects.toThrow('403');
    await world.commit(manifest);
    await world.commit(manifest);
    expect(await world.files()).toEqual(written('x'));
  });

  it('are committed once when the answer is lost', async () => {
    await faultyWorld([{ operation: 'commitBlocks', name: /a$/, fault: { kind: 'loseAnswer' } }]);
    const manifest = await made(writes('x'));
    await world.commit(manifest);
    expect(await world.files()).toEqual(written('x'));
  });

  it('take the place of what another left there, file by file', async () => {
    await world.put({ 'out/a': 'old', 'out/other': 'kept' });
    await world.commit(await made(writes('new')));
    expect(await world.files()).toEqual({ ...written('new'), 'out/other': 'kept' });
  });

  it('are never mixed with those of another step that wrote the same place meanwhile', async () => {
    const mine = await made(writes('mine'));
    const other = await world.run(writes('other'), { stepRun: 'other-run', job: 'other-job', outputs });
    if (!other.ok) throw new Error(other.reason.message);
    await world.commit(other.manifest);
    await expect(world.commit(mine)).rejects.toThrow('was written by another while the job ran');
    expect(await world.files()).toEqual(written('other'));
  });

  it('cannot be staged beside the blocks of a stranger', async () => {
    await world.data.stageBlock(
      { container: CONTAINER, name: 'out/a' },
      Buffer.from('short').toString('base64'),
      Buffer.from('x'),
    );
    expect(await world.run(writes('x'), { outputs })).toMatchObject({ ok: false, reason: { code: 'OutputBlocked' } });
  });

  it('that cannot be staged are a fault of storage, which another attempt may not meet', async () => {
    await faultyWorld([{ operation: 'stageBlock', fault: { kind: 'refuse', status: 500, code: 'InternalError' } }]);
    await expect(world.run(writes('x'), { outputs })).rejects.toThrow('500');
    expect(await world.leftovers()).toEqual([]);
    await world.commit(await made(writes('x')));
    expect(await world.files()).toEqual(written('x'));
  });
});
