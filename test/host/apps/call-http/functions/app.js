import * as df from 'durable-functions';

df.app.orchestration('call', function* (context) {
  try {
    const answer = yield context.df.callHttp(context.df.getInput());
    const { statusCode, headers, content } = answer;
    return { statusCode, headers, content };
  } catch (error) {
    return { failed: error.message };
  }
});
df.app.activity('echo', { handler: (input) => input });
df.app.orchestration('beside', function* (context) {
  const [answer, echo] = yield context.df.Task.all([
    context.df.callHttp(context.df.getInput()),
    context.df.callActivity('echo', { n: 1 }),
  ]);
  return [answer.content, echo, yield context.df.callActivity('echo', { n: 2 })];
});
df.app.orchestration('identity', function* (context) {
  const tokenSource = new df.ManagedIdentityTokenSource('https://management.core.windows.net');
  yield context.df.callHttp({ method: 'GET', url: 'http://localhost/', tokenSource });
});
