import type { ServerResponse } from 'node:http';
import { urlOf, type Route } from './router.ts';

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The page at `/` of an app that has no function there: that the host runs, and where its functions are. */
export function sendHomePage(response: ServerResponse, routes: readonly Route[], origin: string): void {
  const rows = routes.map((route) => {
    const url = escape(urlOf(route, origin));
    return `<li><code>${escape(route.fn.name)}</code> [${route.methods.join(',')}] <a href="${url}">${url}</a></li>`;
  });
  const functions = rows.length === 0 ? '<p>It has no HTTP function.</p>' : `<ul>\n${rows.join('\n')}\n</ul>`;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html>
<html lang="en">
<title>The function app is running</title>
<body style="font-family: sans-serif; margin: 3em">
<h1>The function app is running</h1>
<p>It runs on the embedded host, a stand-in for Azure Functions Core Tools.
<a href="/admin/functions">All functions</a>, <a href="/admin/host/status">status of the host</a>.</p>
${functions}
</body>
</html>
`);
}
