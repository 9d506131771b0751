import { describe, expect, test } from 'vitest';
import { tellingLine } from '../../../../shared/scoring/environments/telling-line.ts';

const told = (text: string): string | undefined => tellingLine(text.split('\n'));

describe('tellingLine, of what uv 0.13 printed', () => {
  test('of packages that do not fit it is the cause', () => {
    const text = `Using Python 3.11.7 environment at: e1
error: No solution found when resolving dependencies
  cause: Because there is no version of six==99.0 and you require six==99.0, we can conclude that your requirements are unsatisfiable.

hint: something else`;
    expect(told(text)).toBe(
      'Because there is no version of six==99.0 and you require six==99.0, we can conclude that your requirements are unsatisfiable.',
    );
  });

  test('of a build it is the last line that the build printed', () => {
    const text = `error: Failed to build \`bad @ https://example.test/bad-1.0.tar.gz\`
  cause: The build backend returned an error
  cause: Call to \`setuptools.build_meta:__legacy__\` failed (exit status: 1)

         [stdout]
         hello from setup

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 3, in <module>
         RuntimeError: needs a compiler

hint: Build failures usually indicate a problem with the package or the build environment`;
    expect(told(text)).toBe(
      'Failed to build `bad @ https://example.test/bad-1.0.tar.gz`: RuntimeError: needs a compiler',
    );
  });

  test('of the network it is what could not be fetched', () => {
    const text = `error: Request failed after 3 retries in 7.5s
  cause: Failed to fetch: http://127.0.0.1:9/simple/six/
  cause: error sending request for url (http://127.0.0.1:9/simple/six/)`;
    expect(told(text)).toBe('Request failed after 3 retries in 7.5s: Failed to fetch: http://127.0.0.1:9/simple/six/');
  });

  test('an error alone is told alone, and no error is none', () => {
    expect(told('warning: x\nerror: Permission denied')).toBe('Permission denied');
    expect(told('Resolved 1 package')).toBeUndefined();
    expect(told('')).toBeUndefined();
  });
});
