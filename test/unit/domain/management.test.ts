import { describe, expect, it } from 'vitest';
import { parseAssetReference } from '../../../shared/domain/asset-reference.ts';
import { isEndpointName, isJobName, isAssetName, isAssetVersion } from '../../../shared/domain/management-names.ts';

describe('names', () => {
  it.each([
    [
      'endpoint',
      isEndpointName,
      ['abc', 'A-1', 'a'.repeat(32)],
      ['', 'ab', '1ab', 'ab-', 'a_b', 'a.b', 'äbc', 'a'.repeat(33), 'abc\n'],
    ],
    [
      'model',
      isAssetName,
      ['a', '1', 'My_model-1.0', 'a'.repeat(255)],
      ['', '.a', '..', 'a.', 'a/b', 'a b', '-a', 'a'.repeat(256), 'a\n'],
    ],
    ['version', isAssetVersion, ['1', '2026-01-01', 'v1.2_b'], ['', '..', '1.', 'a/b', '1'.repeat(256)]],
    [
      'job',
      isJobName,
      ['batchjob-1', 'x', 'blue_store_3k', 'a'.repeat(255)],
      ['', '-a', '_a', 'a.b', 'a/b', 'a'.repeat(256)],
    ],
  ] as const)('of a %s', (_kind, fits, good, bad) => {
    expect(good.filter((name) => !fits(name))).toEqual([]);
    expect(bad.filter((name) => fits(name))).toEqual([]);
  });
});

describe('a model reference', () => {
  const workspace = { subscriptionId: 'S', resourceGroup: 'R', workspace: 'W' };
  const arm = '/subscriptions/S/resourceGroups/R/providers/Microsoft.MachineLearningServices/workspaces/W/models';
  const read = (text: string) => parseAssetReference('models', text, workspace, 'f');

  it.each([
    ['azureml:m:1', 'm', '1', false],
    ['AzureML:m@latest', 'm', 'latest', true],
    [`${arm}/m/versions/1`, 'm', '1', false],
    [`azureml:${arm}/M/versions/v2`.replace('resourceGroups', 'resourcegroups'), 'M', 'v2', false],
    ['azureml://subscriptions/s/resourcegroups/r/workspaces/w/models/m/versions/1', 'm', '1', false],
    ['azureml://locations/x/workspaces/W/models/m/versions/labels/latest', 'm', 'latest', true],
  ])('%s', (text, name, version, isLabel) => {
    expect(read(text)).toEqual({ name, version, isLabel });
  });

  it.each([
    'm:1',
    'azureml:m',
    'azureml:m:1:2',
    'azureml:m@stable',
    'azureml:m:..',
    `${arm}/m`,
    `${arm}/m/versions/1/x`,
    `${arm}/m/versions/1`.replace('/S/', '/T/'),
    'azureml://locations/x/workspaces/V/models/m/versions/1',
    'azureml://registries/r/models/m/versions/1',
  ])('%s is none', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ status: 400, target: 'f' }));
  });
});
