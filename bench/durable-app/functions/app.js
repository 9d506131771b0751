import { appendFileSync } from 'node:fs';
import * as df from 'durable-functions';

const count = (length, make) => Array.from({ length }, (_, index) => make(index));

df.app.activity('instant', { handler: (input) => input });

/** Says in the file of BENCH_LOG which process ran it, and when. */
df.app.activity('logged', {
  handler: async ({ index }) => {
    appendFileSync(process.env.BENCH_LOG, `${process.pid} ${Date.now()}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { index };
  },
});

df.app.orchestration('fan', function* ({ df: durable }) {
  const { activity, times } = durable.getInput();
  yield durable.Task.all(count(times, (index) => durable.callActivity(activity, { index })));
  return { times };
});

df.app.orchestration('fanOfFans', function* ({ df: durable }) {
  const { fans, times } = durable.getInput();
  const input = { activity: 'instant', times };
  yield durable.Task.all(count(fans, () => durable.callSubOrchestrator('fan', input)));
  return { fans };
});

df.app.orchestration('chain', function* ({ df: durable }) {
  const { times } = durable.getInput();
  for (let index = 0; index < times; index++) yield durable.callActivity('instant', { index });
  return { times };
});
