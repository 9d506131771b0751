import { describe, expect, it } from 'vitest';
import { InvocationBody } from '../../../shared/domain/invocation.ts';
import { extensionsOf, layExtensions } from '../../../shared/domain/invocation-extensions.ts';
import { formatDuration, parseDuration } from '../../../shared/domain/invocation-settings.ts';

describe('a duration', () => {
  it.each([
    ['PT30S', 30],
    ['PT1M30S', 90],
    ['PT1H', 3600],
    ['P1DT1S', 86_401],
    ['P1D', 86_400],
    ['pt0.5s', 0.5],
    ['PT90M', 5400],
    ['PT0S', 0],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', 'P', 'PT', 'P1DT', '30', 'PT30', 'T30S', 'PT1S1M', 'PT-1S', 'P1M', 'P1Y', ' PT1S', 'PT1S\n'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    [30, 'PT30S'],
    [90, 'PT1M30S'],
    [3600, 'PT1H'],
    [3661.5, 'PT1H1M1.5S'],
    [0, 'PT0S'],
  ])('%d seconds are written %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('an invocation', () => {
  const input = { jobInputType: 'UriFolder', uri: 'azureml://datastores/d/paths/p' };
  const read = (properties: object) =>
    InvocationBody.parse({ properties: { inputData: { any: input }, ...properties } });
  const plain = {
    description: null,
    tags: {},
    properties: {},
    inputData: { name: 'any', kind: 'UriFolder', uri: input.uri, mode: 'ReadOnlyMount', description: null },
    outputData: null,
  };

  it('asks for nothing but an input when nothing else is sent', () => {
    expect(read({})).toEqual({ properties: plain });
  });

  it('has no output place when the output has no uri', () => {
    expect(read({ outputData: { score: { jobOutputType: 'UriFile' } } })).toEqual({ properties: plain });
    expect(read({ outputData: {} })).toEqual({ properties: plain });
  });

  it.each([
    [
      'a DataUrl of a folder',
      { dataInputType: 'DataUrl', Path: 'https://a.blob/c/in' },
      'UriFolder',
      'https://a.blob/c/in',
    ],
    [
      'a DataUrl of a file',
      { dataInputType: 'DataUrl', path: 'https://a.blob/c/in.csv' },
      'UriFile',
      'https://a.blob/c/in.csv',
    ],
    ['a DatasetId', { dataInputType: 'DatasetId', datasetId: '/subscriptions/s/x' }, 'UriFolder', '/subscriptions/s/x'],
    ['a DatasetVersion', { datasetName: 'heart', datasetVersion: '3' }, 'UriFolder', 'azureml:heart:3'],
    ['a dataset without a version', { datasetName: 'heart' }, 'UriFolder', 'azureml:heart@latest'],
    ['a text', 'azureml:heart:3', 'UriFolder', 'azureml:heart:3'],
  ])('reads the older dataset: %s', (_what, dataset, kind, uri) => {
    const asked = InvocationBody.parse({ Properties: { Dataset: dataset } }).properties;
    expect(asked).toEqual({ ...plain, inputData: { ...plain.inputData, name: 'dataset', kind, uri } });
  });

  it.each([
    ['store', 'azureml://datastores/store/paths/out/a%20b'],
    ['azureml:store', 'azureml://datastores/store/paths/out/a%20b'],
    ['/subscriptions/s/datastores/store', '/subscriptions/s/datastores/store/paths/out/a%20b'],
    ['azureml:/subscriptions/s/datastores/store', '/subscriptions/s/datastores/store/paths/out/a%20b'],
  ])('reads the older output dataset in datastore %s', (datastoreId, uri) => {
    const { outputData } = read({ outputDataset: { datastoreId, path: '/out/a b/' } }).properties;
    expect(outputData).toEqual({
      ...{ name: 'outputDataset', kind: 'UriFolder', uri, mode: 'ReadWriteMount', description: null },
    });
  });

  it('takes the words of YAML for modes', () => {
    const outputData = { s: { jobOutputType: 'urifolder', uri: 'u', mode: 'rw_mount' } };
    expect(read({ inputData: { a: { ...input, mode: 'ro_mount' } }, outputData }).properties).toMatchObject({
      inputData: { mode: 'ReadOnlyMount' },
      outputData: { name: 's', kind: 'UriFolder', uri: 'u', mode: 'ReadWriteMount', description: null },
    });
  });
});

describe('extensions', () => {
  it('are only what is there', () => {
    expect(extensionsOf({}, 'p')).toEqual({});
    expect(extensionsOf({ other: 'x', 'BATCHPOINT.CsvHeader': 'false' }, 'p')).toEqual({ csvHeader: false });
  });

  it('are refused with one detail each', () => {
    const properties = { 'batchpoint.missing': 'zero', 'batchpoint.x': '', 'batchpoint.csvDelimiter': '||' };
    expect(() => extensionsOf(properties, 'p')).toThrow(
      expect.objectContaining({
        status: 400,
        target: 'p.batchpoint.missing',
        details: ['missing', 'x', 'csvDelimiter'].map(
          (name) => expect.objectContaining({ target: `p.batchpoint.${name}` }) as unknown,
        ),
      }),
    );
    expect(() => extensionsOf({ 'batchpoint.missing': 'nan', 'Batchpoint.Missing': 'nan' }, 'p')).toThrow(
      'given twice',
    );
  });

  it('go layer over layer', () => {
    expect(layExtensions({ missing: 'nan', csvDelimiter: ';' }, {}, { csvDelimiter: '\t' })).toEqual({
      outputFormat: 'csv',
      miniBatchUnit: 'files',
      recursive: false,
      csvHeader: true,
      csvDelimiter: '\t',
      missing: 'nan',
    });
  });
});
