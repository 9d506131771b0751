import { app } from '@azure/functions';

const tell = (timer, context) =>
  context.log(`RUN ${JSON.stringify({ fn: context.functionName, timer, retry: context.retryContext })}`);

app.timer('hourly', { schedule: '0 0 * * * *', handler: tell });
app.timer('yearly', { schedule: '366.00:00:00', handler: tell });
app.timer('unmonitored', { schedule: '0 0 3 1 1 *', useMonitor: false, runOnStartup: true, handler: tell });
app.timer('startup', { schedule: '%STARTUP_SCHEDULE%', runOnStartup: true, handler: tell });
app.timer('everySecond', { schedule: '* * * * * *', handler: tell });
app.timer('disabled', { schedule: '* * * * * *', runOnStartup: true, handler: tell });

app.timer('fixedRetries', {
  ...{ schedule: '0 0 3 1 1 *', runOnStartup: true },
  retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { milliseconds: 0 } },
  handler: (timer, context) => {
    tell(undefined, context);
    throw new Error(`failure after ${context.retryContext?.retryCount ?? 0} retries`);
  },
});
app.timer('growingRetries', {
  ...{ schedule: '0 0 3 1 1 *', runOnStartup: true },
  retry: {
    strategy: 'exponentialBackoff',
    maxRetryCount: -1,
    minimumInterval: { milliseconds: 0 },
    maximumInterval: { seconds: 1 },
  },
  handler: (timer, context) => {
    tell(undefined, context);
    if ((context.retryContext?.retryCount ?? 0) < 3) throw new Error('not yet');
  },
});

app.timer('badSchedule', { schedule: '0 0 99 * * *', handler: tell });
app.timer('noSetting', { schedule: '%NO_SUCH_SCHEDULE%', handler: tell });
app.timer('partSetting', { schedule: '0 %STARTUP_SCHEDULE% * * * *', handler: tell });
