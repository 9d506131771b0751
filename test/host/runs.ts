import { z } from 'zod';
import type { TestHost } from './start-host.ts';

const line = z.looseObject({ fn: z.string() });
export type Run = z.infer<typeof line>;

/** What the functions of a fixture app have told with `RUN {...}` lines, in order; of one function if named. */
export function runsOf(host: TestHost, fn?: string): Run[] {
  return host
    .stdout()
    .split('\n')
    .flatMap((text) => {
      const json = /RUN (\{.*\})$/.exec(text)?.[1];
      return json === undefined ? [] : [line.parse(JSON.parse(json))];
    })
    .filter((run) => fn === undefined || run.fn === fn);
}
