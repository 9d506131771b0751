import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });

const encoder = new TextEncoder();

app.http('describe', {
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'],
  route: 'describe/{id:int?}',
  handler: async (request) => ({
    jsonBody: {
      method: request.method,
      url: request.url,
      params: request.params,
      query: [...request.query],
      header: request.headers.get('x-mixed'),
      body: await request.text(),
    },
  }),
});
app.http('echo', { methods: ['POST'], handler: (request) => ({ body: request.body }) });
// Each chunk is answered before the next one is read.
app.http('chat', {
  methods: ['POST'],
  handler: (request) => ({
    body: (async function* () {
      for await (const chunk of request.body) yield encoder.encode(`<${Buffer.from(chunk).toString()}>`);
    })(),
  }),
});
app.http('answer', {
  handler: () => ({
    status: 201,
    headers: { 'x-a': '1' },
    cookies: [
      { name: 'a', value: '1', path: '/', httpOnly: true },
      { name: 'b', value: '2' },
    ],
    body: 'made',
  }),
});
app.http('throws', {
  methods: ['GET', 'POST'],
  handler: () => {
    throw new Error('broken on purpose');
  },
});
app.http('nothing', { handler: () => undefined });
app.http('breaks', {
  handler: () => ({
    body: (async function* () {
      yield encoder.encode('begun');
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('broken while it answers');
    })(),
  }),
});

const seen = { bytes: 0, ended: '', upload: '' };
app.http('seen', { handler: () => ({ jsonBody: seen }) });
app.http('endless', {
  handler: () => ({
    body: (async function* () {
      try {
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield encoder.encode('x');
          seen.bytes++;
        }
      } finally {
        seen.ended = 'yes';
      }
    })(),
  }),
});
app.http('upload', {
  methods: ['POST'],
  handler: async (request) => {
    try {
      for await (const chunk of request.body) seen.upload = Buffer.from(chunk).toString();
    } catch (error) {
      seen.upload = `aborted: ${error.name}`;
      throw error;
    }
    return {};
  },
});
