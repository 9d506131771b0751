import { describe, expect, it } from 'vitest';
import { commandLines, type CommandLine } from '../../../shared/pipeline/command-lines.ts';

function printed(pushes: readonly (readonly [CommandLine['stream'], string | Uint8Array])[]) {
  const lines: CommandLine[] = [];
  const cutter = commandLines((line) => lines.push(line));
  for (const [stream, bytes] of pushes) cutter.push(stream, Buffer.from(bytes));
  const before = lines.length;
  cutter.end();
  return { lines, before, last: cutter.last() };
}

describe('lines of a command', () => {
  it('are handed on as they end, each stream by itself', () => {
    const { lines, before } = printed([
      ['stdout', 'one\ntw'],
      ['stderr', 'bad\r\n'],
      ['stdout', 'o\n\nthree'],
    ]);
    expect(lines).toEqual([
      { stream: 'stdout', text: 'one' },
      { stream: 'stderr', text: 'bad' },
      { stream: 'stdout', text: 'two' },
      { stream: 'stdout', text: '' },
      { stream: 'stdout', text: 'three' },
    ]);
    expect(before).toBe(4);
  });

  it('keep a letter whose bytes come apart', () => {
    const letter = Buffer.from('é');
    expect(
      printed([
        ['stdout', letter.subarray(0, 1)],
        ['stdout', letter.subarray(1)],
      ]).lines,
    ).toEqual([{ stream: 'stdout', text: 'é' }]);
  });

  it('show of a progress bar what a terminal would', () => {
    expect(
      printed([
        ['stderr', ' 1%\r 50%'],
        ['stderr', '\r100%\n'],
      ]).lines,
    ).toEqual([{ stream: 'stderr', text: '100%' }]);
  });

  it('are cut when they are long, also one that never ends', () => {
    const endless = Array.from({ length: 100 }, () => ['stdout', 'x'.repeat(1000)] as const);
    expect(printed(endless).lines).toEqual([{ stream: 'stdout', text: `${'x'.repeat(4000)}…` }]);
  });

  it('are left out after a budget, but for the last ones', () => {
    const many = Array.from({ length: 200 }, (_, chunk) => {
      const text = Array.from({ length: 1000 }, (_line, line) => `line ${chunk * 1000 + line}\n`).join('');
      return ['stdout', text] as const;
    });
    const { lines } = printed(many);
    const dropped = 200_000 - 80_000 - 50;
    expect(lines[79_999]).toEqual({ stream: 'stdout', text: 'line 79999' });
    expect(lines[80_000]).toEqual({
      stream: 'stderr',
      text: `(${dropped} lines were left out; the last ones follow)`,
    });
    expect(lines.slice(80_001).map(({ text }) => text)).toEqual(
      Array.from({ length: 50 }, (_, at) => `line ${199_950 + at}`),
    );
  });

  it.each([
    ['stderr when there is some', 'a\n', 'b\nc\nd\n\ne\n', 'c\nd\ne'],
    ['stdout otherwise', 'a\n', '', 'a'],
    ['nothing', '', '', ''],
  ])('of which the last are quoted: %s', (_case, out, err, last) => {
    expect(
      printed([
        ['stdout', out],
        ['stderr', err],
      ]).last,
    ).toBe(last);
  });
});
