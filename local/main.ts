import { readFileSync } from 'node:fs';
import { inspect, parseArgs } from 'node:util';
import { startHost, type HostOptions } from './host.ts';
import { AppFault } from './load-app.ts';

const help = `Usage: node local/main.ts [--port N] [--root DIR] [--verbose]

Serves a function app (Node.js v4 programming model) for development and tests.

  --port N     port on 127.0.0.1 and [::1]; 0 takes a free one (default: local.settings.json, else 7071)
  --root DIR   folder with host.json and package.json (default: the current one)
  --cert FILE  serves HTTPS with this certificate; PEM, with --key
  --key FILE   its key; PEM, with --cert
  --verbose    print when each function starts and ends, whatever host.json says
  --help       this text`;

/** The options of a start; undefined when only help is wanted. Throws on an unknown or wrong one. */
function readArguments(args: string[]): HostOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      root: { type: 'string', default: process.cwd() },
      cert: { type: 'string' },
      key: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new Error(`--port must be a number from 0 to 65535, not '${values.port}'.`);
  }
  const { root, verbose, cert, key } = values;
  if (cert === undefined && key === undefined) return { root, port, verbose };
  if (cert === undefined || key === undefined) throw new Error('--cert and --key belong together.');
  return { root, port, verbose, certificate: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } };
}

async function main(): Promise<void> {
  const options = readArguments(process.argv.slice(2));
  if (options === undefined) {
    console.log(help);
    return;
  }
  const host = await startHost(options);
  let stopping = false;
  const stop = (code = 0): void => {
    if (stopping) return;
    stopping = true;
    host.stop().then(
      () => process.exit(code),
      (error: unknown) => {
        report(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop());
  process.on('SIGINT', () => stop());
  // A parent that is gone cannot stop us any more.
  process.on('disconnect', () => stop());
  void host.lost.then((reason) => {
    console.error(reason);
    stop(1);
  });
  process.send?.({ state: 'listening', port: host.port });
}

/** One line: the message with those of its causes. What the app itself threw comes with its stack. */
function report(error: unknown): void {
  const messages: string[] = [];
  for (let inner: unknown = error; inner !== undefined; inner = inner instanceof Error ? inner.cause : undefined) {
    const text = inner instanceof Error ? inner.message : inspect(inner);
    messages.push(text.replace(/\s*\n\s*/g, ' '));
  }
  console.error(messages.join(' '));
  if (error instanceof AppFault) console.error(error.cause);
}

try {
  await main();
} catch (error) {
  report(error);
  process.exit(1);
}
