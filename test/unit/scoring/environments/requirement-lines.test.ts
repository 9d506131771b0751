import { describe, expect, test } from 'vitest';
import { ModelFault } from '../../../../shared/scoring/engine.ts';
import { requirementLines } from '../../../../shared/scoring/environments/requirement-lines.ts';

describe('requirementLines', () => {
  test('leaves out comments and empty lines, joins continued ones, and lists options without meaning', () => {
    const text = [
      '# made by pip-compile',
      '',
      'mlflow==2.10.0  # why',
      'six==1.16.0 \\',
      '    --hash=sha256:00',
      '--trusted-host example.test',
      '--prefer-binary',
    ].join('\r\n');
    expect(requirementLines(text, 'it')).toEqual({
      lines: ['mlflow==2.10.0', 'six==1.16.0      --hash=sha256:00'],
      ignored: ['--trusted-host example.test', '--prefer-binary'],
    });
  });

  test.each([
    'six',
    'zope.interface>=5,<6',
    'ray[default, tune]==2.9',
    'six; python_version < "3.9"',
    'six (>=1.0)',
    'torch @ https://example.test/torch-2.1-cp310-none-any.whl',
    'pkg @ git+https://example.test/pkg.git@v1#subdirectory=py',
    'git+https://example.test/pkg.git',
    'https://example.test/pkg-1.0.tar.gz',
    '-i https://example.test/simple',
    '--index-url=https://example.test/simple',
    '--find-links https://example.test/wheels',
    '--no-binary :all:',
    '--only-binary=numpy,scipy',
  ])('takes %j', (line) => {
    expect(requirementLines(line, 'it')).toEqual({ lines: [line], ignored: [] });
  });

  test.each([
    '-r other.txt',
    '-r/etc/passwd',
    '--requirement /etc/passwd',
    '-c constraints.txt',
    '-e .',
    '--editable ./pkg',
    '.',
    './pkg',
    '/opt/pkg',
    '~/pkg',
    'pkg/',
    'wheels/pkg-1.0-py3-none-any.whl',
    'C:\\pkg',
    'file:///etc/passwd',
    'pkg @ file:///opt/pkg',
    'pkg @ ../pkg',
    'pkg @ /opt/pkg',
    'git+file:///opt/pkg',
    '--find-links /opt/wheels',
    '--find-links file:///opt/wheels',
    '-i https://example.test/simple -r /etc/passwd',
    '--config-settings x=y',
    'six -r /etc/passwd',
  ])('refuses %j: it could read files of this machine', (line) => {
    expect(() => requirementLines(`six\n${line}`, 'azureml:heart-env:3')).toThrow(
      new ModelFault(
        `azureml:heart-env:3 asks for ${JSON.stringify(line)}, which is neither a package nor the address of one.`,
      ),
    );
  });
});
