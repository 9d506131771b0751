import { describe, expect, it } from 'vitest';
import type { LoggingLevel } from '../../../../shared/scoring/module/protocol.ts';
import { engineOf, scoreAll } from './code.ts';

const texts = (lines: readonly { stream: string; text: string }[]) =>
  lines.map(({ stream, text }) => `${stream} ${text}`);

describe('what a module prints', () => {
  it('goes to the run that printed it, what it prints while it starts to the first one', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          console.log('imported');
          export const init = () => console.log('started');
          let run_ = 0;
          export function run() {
            process.stdout.write('run ' + ++run_ + '\\n\\nwithout a line end');
            return [1];
          }`,
      },
    });
    expect((await scoreAll(engine)).printed).toEqual(
      ['imported', 'started', 'run 1', '', 'without a line end'].map((text) => ({ worker: 0, stream: 'stdout', text })),
    );
    expect(texts((await scoreAll(engine)).printed)).toEqual(['stdout run 2', 'stdout ', 'stdout without a line end']);
  });

  it('is heard of a run that fails or ends the process', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          export async function run([file]) {
            console.error('before');
            if ((await file.text()) === 'exit') process.exit(3);
            throw new Error('no');
          }`,
      },
    });
    for (const how of ['exit', 'throw']) {
      const heard: string[] = [];
      await expect(scoreAll(engine, { files: { a: how }, print: ({ text }) => heard.push(text) })).rejects.toThrow(
        how === 'exit' ? 'exit code 3' : 'run() threw: no',
      );
      expect(heard).toEqual(['before']);
    }
  });

  it('is cut and counted: long lines, and 100 MB of them', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          export async function run([file]) {
            if ((await file.text()) === 'long') console.log('ä'.repeat(100_000));
            else for (let i = 0; i < 1000; i++) process.stdout.write(('x'.repeat(99) + '\\n').repeat(1000));
            console.error('the last line');
            return [1];
          }`,
      },
    });
    const long = await scoreAll(engine, { files: { a: 'long' } });
    expect(texts(long.printed).sort()).toEqual(['stderr the last line', `stdout ${'ä'.repeat(4096)}…`]);

    const { printed } = await scoreAll(engine, { files: { a: 'much' } });
    const last = /^(\d+) more bytes were printed and are left out/.exec(printed.at(-1)?.text ?? '');
    // A line that the limit cut off has no end.
    const endOf = (text: string) => (text === 'the last line' || text === 'x'.repeat(99) ? 1 : 0);
    const kept = printed.slice(0, -1).reduce((sum, { text }) => sum + text.length + endOf(text), 0);
    expect(kept).toBeGreaterThan(1_000_000);
    expect(kept + Number(last?.[1])).toBe(100_000_014);

    expect(texts((await scoreAll(engine, { files: { a: 'long' } })).printed)).toHaveLength(2);
  });

  it.each<[LoggingLevel, string[]]>([
    ['Debug', ['stdout DEBUG d { a: 1 }', 'stdout INFO i', 'stderr WARNING w', 'stderr ERROR e']],
    ['Info', ['stdout INFO i', 'stderr WARNING w', 'stderr ERROR e']],
    ['Warning', ['stderr WARNING w', 'stderr ERROR e']],
  ])('through its logger follows the logging level %s', async (loggingLevel, expected) => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          export function run(_, { logger }) {
            logger.debug('d', { a: 1 }); logger.info('i'); logger.warn('w'); logger.error('e');
            return [1];
          }`,
      },
      options: { loggingLevel },
    });
    expect(texts((await scoreAll(engine)).printed).sort()).toEqual(expected.sort());
  });
});
