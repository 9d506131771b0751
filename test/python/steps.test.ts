import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { stepSummary } from '../../shared/domain/step-tracking.ts';
import { output, stepWorld, type StepWorld } from '../support/step-world.ts';

let world: StepWorld;
let code: string;
beforeEach(async () => {
  world = await stepWorld();
  code = join(world.deps.workFolder, 'code-asset');
  await mkdir(code);
});
afterEach(() => world.close());

const IMPORTS = 'import mlflow, numpy as np\nfrom sklearn.linear_model import LogisticRegression\n';
/** MLflow would start another Python to find a model's requirements, and need one more package to write it. */
const SAVE = 'SAVE = dict(pip_requirements=[], serialization_format="cloudpickle")\n';
const DATA = 'X = np.random.default_rng(0).normal(size=(60, 3))\ny = (X[:, 0] > 0).astype(int)\n';

/** Runs a Python program as a step, as a pipeline does. */
async function train(program: string, command = 'python train.py') {
  await writeFile(join(code, 'train.py'), program);
  return world.run(command, { codeFolder: code, programs: dirname(inject('python')), outputs: { out: output('out') } });
}

const printed = (): string[] => world.lines.map(({ text }) => text);

describe('a step with the real mlflow', () => {
  it('logs runs, nested ones too, without a warning', async () => {
    const outcome = await train(
      `import mlflow, os
with mlflow.start_run(run_name="outer"):
    mlflow.log_params({"depth": 3, "kind": "tree"})
    mlflow.log_metrics({"auc": 0.5, "loss": float("nan")}, step=0)
    mlflow.log_metrics({"auc": 0.75}, step=1)
    mlflow.set_tag("stage", "test")
    with mlflow.start_run(nested=True, run_name="inner"):
        mlflow.log_metric("auc", 0.1)
    mlflow.log_dict({"a": 1}, "notes/result.json")
open(os.environ["OUT"] + "/done", "w").write("x")
`,
      'OUT=${{outputs.out}} python train.py',
    );
    expect(outcome).toMatchObject({ ok: true });
    expect(printed()).toEqual(['metric auc = 0.75', 'metric loss = NaN']);
    const [outer, inner] = outcome.tracking.runs;
    expect(outer).toMatchObject({
      name: 'outer',
      parent: null,
      params: { depth: '3', kind: 'tree' },
      tags: { stage: 'test' },
      metrics: {
        auc: [
          { value: 0.5, step: 0 },
          { value: 0.75, step: 1 },
        ],
        loss: [{ value: 'NaN', step: 0 }],
      },
    });
    expect(inner).toMatchObject({ name: 'inner', parent: outer?.id, metrics: { auc: [{ value: 0.1, step: 0 }] } });
  });

  it('gets what autolog sees, and its registered model among its files', async () => {
    const outcome = await train(
      `${IMPORTS}${SAVE}${DATA}
import sys
mlflow.autolog(log_models=False)
with mlflow.start_run(nested=True):
    model = LogisticRegression(C=0.5).fit(X, y)
    mlflow.log_metrics({"accuracy": model.score(X, y)})
    mlflow.sklearn.log_model(model, name="model", registered_model_name="heart", **SAVE)
open(sys.argv[1] + "/done", "w").write("x")
`,
      'python3 train.py ${{outputs.out}}',
    );
    if (!outcome.ok) throw new Error(outcome.reason.message);
    const { params, metrics } = stepSummary(outcome.tracking);
    expect(params).toMatchObject({ C: '0.5' });
    expect(metrics['accuracy']).toBeGreaterThan(0.9);
    expect(metrics).toHaveProperty('training_roc_auc');
    expect(outcome.tracking.models.map(({ name }) => name)).toContain('model');
    expect(outcome.manifest.models).toMatchObject([{ name: 'heart', version: 1, type: 'mlflow_model' }]);
    expect(await world.files()).toEqual({});
    await world.commit(outcome.manifest);
    const files = await world.files();
    expect(files['out/done']).toBe('x');
    expect(files['models/heart/1/MLmodel']).toContain('python_function');
  });

  it('registers a model that it logged before, and each version of it', async () => {
    const outcome = await train(
      `${IMPORTS}${SAVE}${DATA}
with mlflow.start_run():
    for _ in range(2):
        info = mlflow.sklearn.log_model(LogisticRegression().fit(X, y), name="model", **SAVE)
        mlflow.register_model(info.model_uri, "heart", tags={"stage": "test"})
`,
      'python train.py && touch ${{outputs.out}}/done',
    );
    if (!outcome.ok) throw new Error(outcome.reason.message);
    expect(
      outcome.manifest.models.map(({ name, version, type, tags, files }) => [
        name,
        version,
        type,
        tags,
        files.some(({ blob }) => blob.endsWith('/MLmodel')),
      ]),
    ).toEqual([
      ['heart', 1, 'mlflow_model', { stage: 'test' }, true],
      ['heart', 2, 'mlflow_model', { stage: 'test' }, true],
    ]);
  });

  it('keeps what it logged before it failed', async () => {
    const outcome = await train(`import mlflow
with mlflow.start_run():
    mlflow.log_metric("auc", 0.5)
    raise ValueError("no column 'age'")
`);
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'CommandFailed' } });
    expect(!outcome.ok && outcome.reason.message).toContain("ValueError: no column 'age'");
    expect(stepSummary(outcome.tracking).metrics).toEqual({ auc: 0.5 });
  });

  it('may save a model into its output itself', async () => {
    const outcome = await train(
      `${IMPORTS}${SAVE}${DATA}
import sys
mlflow.sklearn.save_model(LogisticRegression().fit(X, y), sys.argv[1], **SAVE)
`,
      'python train.py ${{outputs.out}}',
    );
    if (!outcome.ok) throw new Error(outcome.reason.message);
    await world.commit(outcome.manifest);
    expect((await world.files())['out/MLmodel']).toContain('sklearn');
  });

  it('that never imports it has nothing to pay', async () => {
    expect(await train('print("x")', 'python train.py && touch ${{outputs.out}}/done')).toMatchObject({
      ok: true,
      tracking: { runs: [], models: [] },
    });
  });
});
