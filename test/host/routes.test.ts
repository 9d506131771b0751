import { describe, expect, test } from 'vitest';
import { compareRoutes, compileRoute } from '../../local/http/route-template.ts';

/** The parameters that a template finds in a path; undefined when it does not match. */
const match = (template: string, path: string) => compileRoute(template).match(path.split('/').filter(Boolean));

const guid = '0f8fad5b-d9cb-469f-a165-70867728950e';

describe('a constraint', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'int',
      ['0', '-17', '+17', '2147483647', '-2147483648', ' 1 '],
      ['', '1.0', 'x', '2147483648', '-2147483649', '1e3'],
    ],
    ['long', ['9223372036854775807'], ['9223372036854775808', 'x']],
    ['bool', ['true', 'FALSE'], ['1', 'yes']],
    [
      'guid',
      [guid, guid.toUpperCase(), `{${guid}}`, `(${guid})`, guid.replaceAll('-', '')],
      ['x', `{${guid}`, `${guid}0`],
    ],
    ['alpha', ['abc', 'ABC'], ['a1', 'a-b', 'ä']],
    ['decimal', ['1', '-1.5', '.5', '1,000.25'], ['1e3', 'x', '-']],
    ['double', ['1', '-1.5e-3', 'NaN', 'Infinity'], ['x', 'e3']],
    ['float', ['1.5'], ['x']],
    ['length(3)', ['abc'], ['ab', 'abcd']],
    ['length(2,3)', ['ab', 'abc'], ['a', 'abcd']],
    ['minlength(2)', ['ab', 'abc'], ['a']],
    ['maxlength(2)', ['a', 'ab'], ['abc']],
    ['min(-5)', ['-5', '100'], ['-6', 'x']],
    ['max(5)', ['5', '-100'], ['6', 'x']],
    ['range(1,5)', ['1', '5'], ['0', '6', 'x']],
    ['regex(b+)', ['b', 'aBBc'], ['a']],
    ['regex(^\\d{{2}}$)', ['12'], ['1', '123']],
    ['regex(^(a|b):(c|d)$)', ['a:d'], ['a:e']],
    ['INT', ['1'], ['x']],
    ['required', ['x'], []],
    ['file', ['a.csv'], ['a', '.a.']],
    ['nonfile', ['a'], ['a.csv']],
    ['int:min(3)', ['3'], ['2', 'x']],
  ])('%s', (constraint, accepted, refused) => {
    const taken = (value: string) => compileRoute(`{v:${constraint}}`).match([value]) !== undefined;
    expect({ accepted: accepted.filter(taken), refused: refused.filter(taken) }).toEqual({ accepted, refused: [] });
  });
});

describe('a template', () => {
  test.each([
    ['', '', {}],
    ['a/{b}', 'A/x', { b: 'x' }],
    ['a/{b?}', 'a', {}],
    ['a/{b=x}', 'a', { b: 'x' }],
    ['a/{b:int=7}', 'a', { b: '7' }],
    ['a/{b:int=7}', 'a/8', { b: '8' }],
    ['a/{b}/c', 'a//c', undefined],
    ['a/{b?}', 'a/1/2', undefined],
    ['a/{*rest}', 'a', {}],
    ['a/{**rest}', 'a/b/c', { rest: 'b/c' }],
    ['a/{*rest=x/y}', 'a', { rest: 'x/y' }],
    ['a/{*rest:regex(\\.csv$)}', 'a/b/c.csv', { rest: 'b/c.csv' }],
    ['a/{*rest:regex(\\.csv$)}', 'a/b/c.txt', undefined],
    ['{v:regex(^[a/]+$)}/b', 'a/b', { v: 'a' }],
  ])('%j finds in %j: %j', (template, path, params) => {
    expect(match(template, path)).toEqual(params);
  });

  test.each([
    ['{v:datetime}', 'has the unknown constraint "datetime".'],
    ['{v:range(1)}', 'has the unknown constraint "range(1)".'],
    ['{v:min(x)}', 'has the unknown constraint "min(x)".'],
    ['{v:regex([)}', 'has a constraint that is not valid: "regex([)".'],
    ['{a}-{b}', 'has a segment that this host does not support: "{a}-{b}".'],
    ['{id}/{ID}', 'has the parameter "id" twice.'],
    ['{*rest}/tail', 'has a catch-all that is not its last segment.'],
  ])('%s is refused by name', (template, reason) => {
    expect(() => compileRoute(template)).toThrow(`The route "${template}" ${reason}`);
  });

  test('the more specific comes first, segment by segment', () => {
    const templates = ['{*rest}', '{*rest:alpha}', 'a/{b}', 'a/{b:int}', 'a/b', '{a}/b', 'a/{*rest}'];
    const sorted = templates.map(compileRoute).sort(compareRoutes);
    expect(sorted.map(({ text }) => text)).toEqual([
      ...['a/b', 'a/{b:int}', 'a/{b}', 'a/{*rest}', '{a}/b', '{*rest:alpha}', '{*rest}'],
    ]);
  });
});
