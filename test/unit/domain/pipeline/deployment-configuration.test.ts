import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checked } from '../../../../shared/domain/checked.ts';
import { DeploymentConfiguration } from '../../../../shared/domain/pipeline/deployment-configuration.ts';
import { parseComponentSpec } from '../../../../shared/domain/pipeline/component-spec.ts';
import { layPipelineSettings } from '../../../../shared/domain/pipeline/settings.ts';
import { body, captured, WORKSPACE } from './fixtures.ts';

const read = (value: unknown) =>
  checked(z.object({ configuration: DeploymentConfiguration }), { configuration: value });

describe('the deployment of a pipeline component', () => {
  it('is read as the client sends it', () => {
    expect(read(body('deployment').properties['deploymentConfiguration']).configuration).toEqual({
      component: `${WORKSPACE}/components/heart_dsl/versions/1`,
      sentSettings: { default_compute: 'cpu', continue_on_step_failure: 'false', force_rerun: 'true' },
      settings: { defaultCompute: 'cpu', continueOnStepFailure: false, forceRerun: true },
      description: null,
      tags: {},
    });
  });

  it('of a job is one of a component that names the job', () => {
    const [component] = captured('deployment-of-job');
    expect(parseComponentSpec(component?.body.properties['componentSpec'])).toMatchObject({ sourceJob: 'by-code' });
    expect(read(body('deployment-of-job').properties['deploymentConfiguration']).configuration.component).toBe(
      `${WORKSPACE}/components/azureml_anonymous/versions/1`,
    );
  });

  it('tells of a setting that is none', () => {
    expect(() =>
      read({
        deploymentConfigurationType: 'pipelinecomponent',
        componentId: { assetId: 'azureml:a:1' },
        settings: { force_rerun: 'often' },
      }),
    ).toThrow('configuration.settings.forceRerun: must be true or false');
  });

  it("is overruled by a job's own settings", () => {
    expect(layPipelineSettings({ defaultCompute: 'cpu', forceRerun: true }, { forceRerun: false })).toEqual({
      defaultCompute: 'cpu',
      defaultDatastore: null,
      continueOnStepFailure: false,
      forceRerun: false,
    });
  });
});
