import { app } from '@azure/functions';

// One reason to refuse this app for each value.
const faults = {
  throws: () => {
    throw new Error('broken while it loads');
  },
  reserved: () => app.http('mine', { route: 'admin/mine', handler: () => ({}) }),
  runtime: () => app.http('mine', { route: 'Runtime', handler: () => ({}) }),
  constraint: () => app.http('mine', { route: 'items/{id:datetime}', handler: () => ({}) }),
  catchAll: () => app.http('mine', { route: '{*rest}/tail', handler: () => ({}) }),
  duplicate: () => {
    app.http('mine', { handler: () => ({}) });
    app.http('mine', { handler: () => ({}) });
  },
};
faults[process.env.FIXTURE_FAULT]();
