import { app, HttpResponse } from '@azure/functions';

app.hook.preInvocation((context) => {
  context.hookData.seen = true;
});
app.hook.postInvocation((context) => {
  if (context.result?.jsonBody?.hooked === 'pending') context.result.jsonBody.hooked = context.hookData.seen;
});

const describe = (name) => async (request) => ({
  jsonBody: {
    function: name,
    method: request.method,
    url: request.url,
    params: request.params,
    query: [...request.query],
    body: await request.text(),
  },
});

app.http('any', {
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'],
  route: 'any/{*rest}',
  handler: describe('any'),
});
app.http('defaults', { handler: describe('defaults') });
app.http('unrouted', { route: '', handler: describe('unrouted') });
app.http('literal', { route: 'items/special', handler: describe('literal') });
app.http('byId', { route: 'items/{id:int}', handler: describe('byId') });
app.http('byName', { route: 'items/{name}', handler: describe('byName') });
app.http('page', { route: 'pages/{number:int?}', handler: describe('page') });
app.http('getOnly', { methods: ['GET'], route: 'only', handler: describe('getOnly') });

app.http('headers', { handler: (request) => ({ jsonBody: Object.fromEntries(request.headers) }) });
app.http('echo', {
  methods: ['POST'],
  handler: async (request) => ({
    body: Buffer.from(await request.arrayBuffer()),
    headers: { 'content-type': 'application/octet-stream' },
  }),
});
app.http('status', {
  handler: () => ({ status: 201, headers: { 'x-a': '1' }, jsonBody: { made: true } }),
});
app.http('cookies', {
  handler: () => ({
    cookies: [
      { name: 'a', value: '1 2', path: '/', httpOnly: true, sameSite: 'Strict', maxAge: 60 },
      { name: 'b', value: '2', secure: true, expires: new Date('2030-01-01T00:00:00Z') },
      { name: 'c', value: '3', domain: 'example.com', sameSite: 'Lax', maxAge: 0 },
      { name: 'd', value: '4', secure: true, sameSite: 'None' },
    ],
  }),
});
app.http('nothing', { handler: () => undefined });
app.http('noContent', { handler: () => ({ status: 204 }) });
app.http('throws', {
  handler: () => {
    throw new Error('broken on purpose');
  },
});
app.http('text', { handler: () => 'not an object' });
app.http('badHeader', {
  handler: () => ({ headers: { 'x-before': '1' }, cookies: [{ name: 'bad\nname', value: '1' }], body: 'unseen' }),
});
app.http('stream', {
  handler: () =>
    new HttpResponse({
      body: new ReadableStream({
        start(controller) {
          for (const part of ['one|', 'two|']) controller.enqueue(new TextEncoder().encode(part));
          controller.close();
        },
      }),
    }),
});
app.http('hooked', { handler: () => ({ jsonBody: { hooked: 'pending' } }) });
app.http('settings', {
  handler: () => ({
    jsonBody: {
      setting: process.env.FIXTURE_SETTING,
      taken: process.env.FIXTURE_TAKEN,
      host: process.env.WEBSITE_HOSTNAME,
      root: process.env.AzureWebJobsScriptRoot,
      environment: process.env.AZURE_FUNCTIONS_ENVIRONMENT,
    },
  }),
});
app.http('logs', {
  handler: (request, context) => {
    context.log('an ordinary line');
    context.error('a bad line');
    return {};
  },
});
app.http('quiet', {
  handler: (request, context) => {
    context.log('a line below the level');
    return {};
  },
});

app.timer('nightly', { schedule: '0 0 3 * * *', handler: () => {} });
app.serviceBusQueue('unserved', { queueName: 'q', connection: 'Bus', handler: () => {} });
