import * as df from 'durable-functions';

// Stand-ins under the names that the product starts; their activities would need its storage.
df.app.orchestration('scoreJob', function* (context) {
  const { job, generation } = context.df.getInput();
  if (job === 'fails') throw new Error('final words');
  if (job === 'ends') return { generation };
  const lanes = [0, 1].map((lane) => context.df.callSubOrchestrator('scoreLane', { job, lane, generation }));
  yield context.df.Task.all(lanes);
});
df.app.orchestration('scoreLane', function* (context) {
  yield context.df.waitForExternalEvent('never');
});
