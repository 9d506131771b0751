import { describe, expect, it } from 'vitest';
import { maxTimeoutSeconds } from '../../shared/function-timeout.ts';

const SETTING = 'AzureFunctionsJobHost__functionTimeout';

describe('one try may take', () => {
  it.each<[string | undefined, number, number]>([
    // host.json of this app says half an hour.
    [undefined, 15, 1720],
    [undefined, 300, 1440],
    ['00:10:00', 2.5, 520],
    ['1.00:00:00', 15, 86_320],
    ['-1', 15, Infinity],
    ['00:00:30', 15, 1],
  ])('of functionTimeout %s and slices of %d s: %d s', async (functionTimeout, slice, seconds) => {
    expect(await maxTimeoutSeconds({ [SETTING]: functionTimeout }, slice)).toBe(seconds);
  });

  it('nothing that can be known when functionTimeout is no time span', async () => {
    await expect(maxTimeoutSeconds({ [SETTING]: 'soon' }, 15)).rejects.toThrow(
      "functionTimeout 'soon' is not a time span such as 00:30:00.",
    );
  });
});
