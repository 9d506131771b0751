import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelRegistration } from '../../../../shared/steps/pipeline/model-registration.ts';
import { stepWorld, type StepWorld } from '../../../support/step-world.ts';

let world: StepWorld;
beforeEach(async () => {
  world = await stepWorld();
});
afterEach(() => world.close());

describe('what a step tells MLflow', () => {
  /** Writes as MLflow does; the real one is in test/python. */
  const TELL = `store=\${MLFLOW_TRACKING_URI#file://}; registry=\${MLFLOW_REGISTRY_URI#file://}
    mkdir -p "$store/0/r1/metrics" "$registry/models/heart/version-1" "$HOME/model"
    printf 'run_id: r1\\nrun_name: one\\nstart_time: 1\\nlifecycle_stage: active\\n' > "$store/0/r1/meta.yaml"
    echo "1 0.5 0" > "$store/0/r1/metrics/auc"
    echo -n flavors: > "$HOME/model/MLmodel"`;
  const register = (source: string, name = 'heart') =>
    `printf "name: ${name}\\nversion: 1\\nsource: ${source}\\n" > "$registry/models/heart/version-1/meta.yaml"`;
  const runs = [
    {
      id: 'r1',
      name: 'one',
      parent: null,
      startedAt: 1,
      params: {},
      tags: {},
      metrics: { auc: [{ value: 0.5, step: 0, at: 1 }] },
    },
  ];

  it('is part of its outcome and shown in its log, and registered models appear with its outputs', async () => {
    const outcome = await world.run(`${TELL}; ${register('$HOME/model')}`);
    expect(outcome.tracking).toEqual({ runs, models: [] });
    expect(world.lines).toEqual([{ stream: 'stdout', text: 'metric auc = 0.5' }]);
    if (!outcome.ok) throw new Error(outcome.reason.message);
    expect(outcome.manifest.tracking).toEqual(outcome.tracking);
    await world.commit(outcome.manifest);
    expect(await world.files()).toEqual({ 'models/heart/1/MLmodel': 'flavors:' });
    const [model] = outcome.manifest.models;
    expect(model && modelRegistration(outcome.manifest, model)).toEqual({
      properties: {
        modelType: 'mlflow_model',
        modelUri: 'azureml://datastores/store/paths/models/heart/1',
        flavors: {},
        jobName: 'step-run',
        description: null,
        tags: {},
      },
    });
  });

  it('is there too when it fails, without the models', async () => {
    expect(await world.run(`${TELL}; ${register('$HOME/model')}; exit 1`)).toMatchObject({
      ok: false,
      reason: { code: 'CommandFailed' },
      tracking: { runs },
    });
    expect(await world.files()).toEqual({});
  });

  it('does not hide why it failed', async () => {
    expect(await world.run(`${TELL}; echo '[' > "$store/0/r1/meta.yaml"; exit 1`)).toMatchObject({
      reason: { code: 'CommandFailed' },
    });
    expect(await world.run(`${TELL}; echo '[' > "$store/0/r1/meta.yaml"`)).toMatchObject({
      reason: { code: 'TrackingUnreadable' },
    });
  });

  it.each([
    ['has files elsewhere', register('/etc'), "it leads out of the step's folder."],
    ['has no files', register('$HOME/none'), 'the command ended well and wrote nothing to it.'],
    ['has a name that no model may have', register('$HOME/model', 'my model'), 'its name must have at most'],
  ])('cannot register a model that %s', async (_what, script, why) => {
    const outcome = await world.run(`${TELL}; ${script}`);
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'BadOutput' } });
    expect(!outcome.ok && outcome.reason.message).toContain(why);
  });
});
