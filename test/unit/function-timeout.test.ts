import { describe, expect, it } from 'vitest';
import { maxTimeoutSeconds } from '../../shared/function-timeout.ts';
import { activitySlots } from '../../shared/host-json.ts';

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

describe('the slots of an instance', () => {
  const SLOTS = 'AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions';

  it.each<[string | undefined, number]>([
    // host.json of this app says two.
    [undefined, 2],
    ['16', 16],
  ])('with the app setting %s: %i', async (setting, slots) => {
    expect(await activitySlots({ [SLOTS]: setting })).toBe(slots);
  });

  it.each(['0', 'many', '1.5'])('cannot be %s', async (setting) => {
    await expect(activitySlots({ [SLOTS]: setting })).rejects.toThrow();
  });
});
