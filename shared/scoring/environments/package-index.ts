import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { codeEnvironment } from '../code-environment.ts';
import { runProgram } from './run-program.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Settings of uv that a build keeps: where packages come from, how they are reached, and where they are cached. */
const UV_SETTINGS = new RegExp(
  `^UV_(${[
    ...[
      'DEFAULT_INDEX',
      'INDEX',
      'INDEX_URL',
      'EXTRA_INDEX_URL',
      'FIND_LINKS',
      'NO_INDEX',
      'INDEX_STRATEGY',
      'OFFLINE',
    ],
    ...['INDEX_\\w+_(USERNAME|PASSWORD)', 'KEYRING_PROVIDER', 'INSECURE_HOST', 'NATIVE_TLS', 'SYSTEM_CERTS'],
    ...['HTTP_\\w+', 'CACHE_DIR', 'NO_CACHE', 'LINK_MODE', 'CONFIG_FILE', 'CONCURRENT_\\w+', 'NO_BUILD'],
    ...['EXCLUDE_NEWER', 'TORCH_BACKEND'],
  ].join('|')})$`,
);

/** What else tells uv or pip about this machine. */
const MACHINE = ['SSL_CERT_DIR', 'NETRC', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_CONFIG_DIRS'];

const PIP_SETTINGS = /^PIP_(CONFIG_FILE|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|TRUSTED_HOST)$/;

/** The setting of uv that says what a setting of pip says, and how several values are put into one. */
const UV_NAMES: Readonly<Record<string, readonly [name: string, separator: string]>> = {
  'index-url': ['UV_DEFAULT_INDEX', ' '],
  'extra-index-url': ['UV_INDEX', ' '],
  'find-links': ['UV_FIND_LINKS', ','],
  'no-index': ['UV_NO_INDEX', ' '],
  cert: ['SSL_CERT_FILE', ' '],
  'trusted-host': ['UV_INSECURE_HOST', ' '],
};

/** Parts of pip's configuration that count for `pip install`, the strongest last. */
const SECTIONS = ['global', 'install', ':env:'];

function picked(own: Variables, wanted: (name: string) => boolean): Record<string, string> {
  const found = Object.entries(own).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(found.filter(([name]) => wanted(name)));
}

/**
 * The whole environment of uv: nothing of the app's but how packages are reached on this machine. uv does not read pip's
 * configuration, so it is translated; a setting of uv's own is stronger. `python` is any interpreter with pip.
 */
export async function packageEnvironment(
  own: Variables,
  python: string,
  print: (line: string) => void,
): Promise<Record<string, string>> {
  const uv = picked(own, (name) => UV_SETTINGS.test(name) || MACHINE.includes(name));
  const pip = codeEnvironment(own, { ...uv, ...picked(own, (name) => PIP_SETTINGS.test(name)) });
  const { UV_DEFAULT_INDEX, ...others } = await pipSettings(python, pip, print);
  const index = UV_DEFAULT_INDEX === undefined || uv['UV_INDEX_URL'] !== undefined ? {} : { UV_DEFAULT_INDEX };
  return codeEnvironment(own, { ...others, ...index, ...uv });
}

async function pipSettings(
  python: string,
  env: Readonly<Record<string, string>>,
  print: (line: string) => void,
): Promise<Record<string, string>> {
  const { code, lines } = await runProgram([python, '-m', 'pip', 'config', 'list'], {
    env,
    cwd: tmpdir(),
    seconds: 60,
  });
  if (code === 0) return fromPipConfig(lines);
  print(`pip's configuration files are not read: ${lines.at(-1) ?? `pip ended with code ${code}`}`);
  const variables = Object.entries(env).filter(([name]) => PIP_SETTINGS.test(name));
  return fromPipConfig(
    variables.map(([name, value]) => `:env:.${name.slice(4).toLowerCase().replaceAll('_', '-')}='${value}'`),
  );
}

/** Translates the lines of `pip config list`, such as `global.index-url='https://…'`. */
export function fromPipConfig(lines: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const section of SECTIONS) {
    for (const line of lines.filter((text) => text.startsWith(`${section}.`))) {
      const [, key = '', quoted = ''] = /^([^=]+)='(.*)'$/.exec(line.slice(section.length + 1)) ?? [];
      const [name, separator] = UV_NAMES[key] ?? [];
      if (name === undefined) continue;
      // Several values are on lines of their own, which Python prints as \n.
      const values = quoted
        .replaceAll('\\n', ' ')
        .split(' ')
        .filter((value) => value !== '');
      // pip passes over a folder of archives that is not there; uv refuses to start.
      const kept = key === 'find-links' ? values.filter((value) => value.includes('://') || existsSync(value)) : values;
      if (kept.length > 0) settings[name] = kept.join(separator);
    }
  }
  return settings;
}
