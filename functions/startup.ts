import { app } from '@azure/functions';
import { runtime } from '../shared/runtime.ts';

/** Wrong settings stop the app when it starts, not at its first request. */
app.hook.appStart(async () => {
  await runtime();
});
