import { describe, expect, test } from 'vitest';
import { ModelFault } from '../../../../shared/scoring/engine.ts';
import { readCondaFile } from '../../../../shared/scoring/environments/conda-file.ts';

const read = (text: string) => readCondaFile(text, 'azureml:heart-env:3');
/** What becomes of one line of `dependencies`. */
const line = (dependency: string) => read(JSON.stringify({ dependencies: [dependency] }));

describe('readCondaFile', () => {
  test('takes the pip packages and the conda packages that PyPI has, and lists what only conda has', () => {
    const text = `
name: heart
channels:
  - conda-forge
  - nvidia
dependencies:
  - python=3.10
  - numpy=1.26
  - conda-forge::scikit-learn>=1.4,<2
  - pytorch=2.1=*cuda*
  - libgcc-ng
  - cudatoolkit=11.8
  - pip<=24
  - pip:
      - mlflow==2.10.0
      - azureml-core[notebooks]>=1.5 ; python_version < "3.12"  # a comment
      - --extra-index-url https://packages.example.test/simple
      - --pre
variables:
  COLOUR: red
prefix: /home/user/conda
`;
    expect(read(text)).toEqual({
      python: '3.10',
      requirements: [
        'numpy==1.26.*',
        'scikit-learn>=1.4,<2',
        'torch==2.1.*',
        'mlflow==2.10.0',
        'azureml-core[notebooks]>=1.5 ; python_version < "3.12"',
        '--extra-index-url https://packages.example.test/simple',
      ],
      ignored: [
        'channels conda-forge, nvidia',
        'variables',
        "pytorch's build *cuda*",
        'libgcc-ng',
        'cudatoolkit=11.8',
        'pip<=24',
        '--pre',
      ],
    });
  });

  test.each(['name: empty', 'dependencies:', 'dependencies: []', 'dependencies: [{pip: null}]', 'channels: []'])(
    '%j asks for nothing',
    (text) => {
      expect(read(text)).toEqual({ python: null, requirements: [], ignored: [] });
    },
  );

  test.each([
    ['numpy', 'numpy'],
    ['numpy=1.21', 'numpy==1.21.*'],
    ['numpy=1.21.*', 'numpy==1.21.*'],
    ['numpy==1.21.2', 'numpy==1.21.2'],
    ['numpy 1.21.2', 'numpy==1.21.2'],
    ['numpy 1.21*', 'numpy==1.21.*'],
    ['numpy >= 1.21, < 2', 'numpy>=1.21,<2'],
    ['numpy>=1.21.*', 'numpy>=1.21'],
    ['numpy!=1.21.3,>1', 'numpy!=1.21.3,>1'],
    ['numpy~=1.21', 'numpy~=1.21'],
    ['numpy=*', 'numpy'],
    ['numpy=*=*', 'numpy'],
    ['numpy=2.0rc1', 'numpy==2.0rc1.*'],
    ['Py-XGBoost=1.7', 'xgboost==1.7.*'],
    ['matplotlib-base', 'matplotlib'],
  ])('%j is %j for pip', (dependency, requirement) => {
    expect(line(dependency)).toEqual({ python: null, requirements: [requirement], ignored: [] });
  });

  test.each([
    ['numpy=1.21=py39h6c91a56_0', 'numpy==1.21.*', "numpy's build py39h6c91a56_0"],
    ['numpy 1.21.2 py39_0', 'numpy==1.21.2', "numpy's build py39_0"],
    ['numpy>=1.21=py39_0', 'numpy>=1.21', "numpy's build py39_0"],
    ['numpy=1.20|1.22', 'numpy', "numpy's version 1.20|1.22"],
    ['tzdata=2023c', 'tzdata', "tzdata's version 2023c"],
  ])('%j is %j, and the rest is listed', (dependency, requirement, ignored) => {
    expect(line(dependency)).toEqual({ python: null, requirements: [requirement], ignored: [ignored] });
  });

  test.each([
    ['python', null],
    ['python=3', '3'],
    ['python=3.8', '3.8'],
    ['python=3.8.13', '3.8'],
    ['python==3.11.5', '3.11'],
    ['python 3.10.*', '3.10'],
    ['python>=3.9,<3.12', '>=3.9,<3.12'],
  ])('%j asks for Python %j', (dependency, python) => {
    expect(line(dependency)).toEqual({ python, requirements: [], ignored: [] });
  });

  test.each([
    ['a: [', /^The conda file of azureml:heart-env:3 is not YAML: /],
    ['- numpy', /^The conda file of azureml:heart-env:3 cannot be read at its top: /],
    ['dependencies: numpy', /cannot be read at dependencies: /],
    ['dependencies: [{pip: six}]', /cannot be read at dependencies\.0/],
    ['dependencies: ["=1.0"]', /has a dependency that cannot be read: "=1\.0"\.$/],
    ['dependencies: [{pip: ["-r /etc/passwd"]}]', /asks for "-r \/etc\/passwd", which is neither a package nor/],
    [' '.repeat(1_000_001), /is longer than 1000000 characters\.$/],
  ])('refuses %j', (text, reason) => {
    expect(() => read(text)).toThrow(expect.any(ModelFault));
    expect(() => read(text)).toThrow(reason);
  });
});
