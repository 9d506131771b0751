import { app } from '@azure/functions';
import { runtime } from '../shared/runtime.ts';

/** Wrong settings stop the app when it starts, not at its first request. */
app.hook.appStart(async () => {
  await runtime();
});

/** What was told last is sent before the process ends. */
app.hook.appTerminate(async () => {
  await (await runtime()).telemetry.stop();
});
