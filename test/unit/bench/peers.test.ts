import { describe, expect, it } from 'vitest';
import { race } from '../../../bench/peers/race.ts';
import { assertSamePredictions } from '../../../bench/peers/same-predictions.ts';
import { table } from '../../../bench/peers/table.ts';

describe('the table of the peers', () => {
  it('has a line for each target, with whether it holds', () => {
    const lines = [
      {
        figure: { name: 'csv', value: 2.999, unit: 'ratio', target: { atLeast: 3 } },
        ...{ against: 'pandas', ours: '2.00 s', peer: '6.00 s' },
      },
      {
        figure: { name: 'rss', value: 1.15, unit: 'ratio', target: { atMost: 1.15 } },
        ...{ against: '100 MB', ours: '345 MB', peer: '300 MB' },
      },
      { figure: { name: 'rss_mb', value: 345, unit: 'MB', target: { atMost: 450 } }, against: '', ours: '345 MB' },
    ];
    expect(table(lines)).toBe(
      [
        '| figure | against | ours   | peer   | ratio | target   | holds |',
        '| ------ | ------- | ------ | ------ | ----- | -------- | ----- |',
        '| csv    | pandas  | 2.00 s | 6.00 s | 3     | ≥ 3      | no    |',
        '| rss    | 100 MB  | 345 MB | 300 MB | 1.15  | ≤ 1.15   | yes   |',
        '| rss_mb |         | 345 MB |        |       | ≤ 450 MB | yes   |',
        '',
      ].join('\n'),
    );
  });
});

describe('predictions of a peer', () => {
  const ours = 'file,row,label,p\na.csv,0,1,0.75\na.csv,1,0,0.25\n';

  it.each([
    ['the same text', ours],
    ['numbers that are rounded otherwise', 'file,row,label,p\na.csv,0,1,0.75004\na.csv,1,0.0,2.5e-1'],
  ])('pass as %s', (_, theirs) => {
    expect(() => assertSamePredictions(ours, theirs, 'pandas')).not.toThrow();
  });

  it.each([
    ['a row less', 'file,row,label,p\na.csv,0,1,0.75\n', 'pandas has 1 rows, we have 2'],
    ['another number', ours.replace('0.25', '0.2502'), 'pandas differs in line 3'],
    ['another file', ours.replace('a.csv,1', 'b.csv,1'), 'pandas differs in line 3'],
    ['an empty cell', ours.replace('0,0.25', ',0.25'), 'pandas differs in line 3'],
    ['other columns', ours.replace('label,p', 'label,q'), 'pandas differs in line 1'],
    ['a column less', ours.replace('1,0.75', '1'), 'pandas differs in line 2'],
  ])('are refused with %s', (_, theirs, reason) => {
    expect(() => assertSamePredictions(ours, theirs, 'pandas')).toThrow(reason);
  });

  it('may differ by more where that is said', () => {
    expect(() => assertSamePredictions(ours, ours.replace('0.25', '0.2502'), 'pillow', 1e-3)).not.toThrow();
  });
});

describe('a race', () => {
  it('lets the sides take turns, and counts all rounds but the one that warms up', async () => {
    const events: string[] = [];
    const side = (name: string, first: number) => async () => {
      events.push(name);
      return first++;
    };
    const warm = async (): Promise<void> => void events.push('check');
    const sides = new Map([
      ['ours', side('ours', 10)],
      ['pandas', side('pandas', 20)],
    ]);
    expect(await race(sides, 2, warm, () => undefined)).toEqual(
      new Map([
        ['ours', [11, 12]],
        ['pandas', [21, 22]],
      ]),
    );
    expect(events).toEqual(['ours', 'pandas', 'check', 'ours', 'pandas', 'ours', 'pandas']);
  });
});
