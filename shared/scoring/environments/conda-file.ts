import { parse } from 'yaml';
import { z } from 'zod';
import { ModelFault } from '../engine.ts';
import { pypiName } from './conda-names.ts';
import { parseCondaSpec } from './conda-spec.ts';
import { requirementLines } from './requirement-lines.ts';

/** What can be installed of an environment without conda. */
export interface Installable {
  /** The Python that is asked for, in uv's words (`3.10`, `>=3.9,<3.12`); null for any. */
  readonly python: string | null;
  /** Lines of a pip requirements file. */
  readonly requirements: readonly string[];
  /** What was asked for and is not installed, for people. */
  readonly ignored: readonly string[];
}

const LONGEST = 1_000_000;

const CondaFile = z.looseObject({
  name: z.string().nullish(),
  channels: z.array(z.string()).nullish(),
  dependencies: z.array(z.union([z.string(), z.record(z.string(), z.array(z.string()).nullable())])).nullish(),
});
/** Keys that say nothing about what is installed. */
const SILENT = ['name', 'prefix', 'channels', 'dependencies'];

/** Reads a conda YAML file: its pip packages, and the conda packages that PyPI has too. Throws ModelFault when it is none. */
export function readCondaFile(text: string, label: string): Installable {
  const file = parseFile(text, label);
  const ignored: string[] = [];
  if (file.channels?.length) ignored.push(`channels ${file.channels.join(', ')}`);
  ignored.push(...Object.keys(file).filter((key) => !SILENT.includes(key)));
  const requirements: string[] = [];
  let python: string | null = null;
  for (const dependency of file.dependencies ?? []) {
    if (typeof dependency === 'string') {
      const read = readDependency(dependency, label);
      if ('python' in read) python = read.python;
      else requirements.push(...read.requirements);
      ignored.push(...read.ignored);
      continue;
    }
    const { pip, ...others } = dependency;
    ignored.push(...Object.keys(others));
    const fromPip = requirementLines((pip ?? []).join('\n'), label);
    requirements.push(...fromPip.lines);
    ignored.push(...fromPip.ignored);
  }
  return { python, requirements, ignored };
}

function parseFile(text: string, label: string): z.infer<typeof CondaFile> {
  if (text.length > LONGEST) throw new ModelFault(`The conda file of ${label} is longer than ${LONGEST} characters.`);
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new ModelFault(`The conda file of ${label} is not YAML: ${firstLine(error)}`, { cause: error });
  }
  const file = CondaFile.safeParse(content);
  if (file.success) return file.data;
  const where = file.error.issues[0]?.path.join('.') || 'its top';
  throw new ModelFault(`The conda file of ${label} cannot be read at ${where}: ${file.error.issues[0]?.message}.`);
}

const firstLine = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] ?? '') : '');

function readDependency(
  line: string,
  label: string,
): { python: string | null; ignored: string[] } | { requirements: string[]; ignored: string[] } {
  const spec = parseCondaSpec(line);
  if (spec === undefined)
    throw new ModelFault(`The conda file of ${label} has a dependency that cannot be read: ${JSON.stringify(line)}.`);
  const { name, version, dropped } = spec;
  if (name.toLowerCase() === 'python') return { ...pythonRequest(version), ...droppedOf(name, dropped) };
  const pypi = pypiName(name);
  if (pypi === undefined) return { requirements: [], ignored: [line] };
  return { requirements: [pypi + version], ...droppedOf(name, dropped) };
}

const droppedOf = (name: string, dropped: string | undefined): { ignored: string[] } => ({
  ignored: dropped === undefined ? [] : [`${name}'s ${dropped}`],
});

/** A pin on one version asks for its first two numbers: the third is what this machine has, as a security fix changes it. */
function pythonRequest(version: string): { python: string | null } {
  const [, major, minor] = /^==(\d+)(?:\.(\d+))?[\d.]*(?:\.\*)?$/.exec(version) ?? [];
  if (major === undefined) return { python: version === '' ? null : version };
  return { python: minor === undefined ? major : `${major}.${minor}` };
}
