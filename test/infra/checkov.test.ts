import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { armTemplate } from './resources.ts';
import { runTool } from './run-tool.ts';
import { readTemplates } from './templates.ts';

const Check = z.object({
  check_id: z.string(),
  check_result: z.looseObject({ suppress_comment: z.string().optional() }),
});
const Report = z.object({
  check_type: z.string(),
  results: z.object({
    passed_checks: z.array(Check),
    failed_checks: z.array(Check.extend({ file_path: z.string() })),
    skipped_checks: z.array(Check),
    parsing_errors: z.array(z.string()),
  }),
});
const Reports = z.union([z.array(Report), Report.transform((report) => [report])]);

/** The reasons why rules are not kept, in infra/checkov.yaml. */
const Skips = z.object(
  Object.fromEntries(
    ['always', 'flex', 'container', 'public'].map((part) => [part, z.record(z.string(), z.string().min(30))] as const),
  ),
);

/** All that checkov says of infra/, and of what the verified modules make in two deployments. */
let report: z.infer<typeof Reports>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-arm-'));
  try {
    // One folder is one run; most of the time goes into starting.
    await cp(join(PROJECT, 'infra'), join(folder, 'infra'), { recursive: true });
    const templates = readTemplates();
    const deployments = {
      'flex-private.json': {
        flags: { isFlex: true, privateNetwork: true, stateClosed: true },
        without: ['modules/registry.bicep'],
      },
      'container-public.json': {
        flags: { isFlex: false, privateNetwork: false, stateClosed: false },
        without: ['modules/network.bicep', 'modules/private-endpoints.bicep'],
      },
    };
    for (const [name, { flags, without }] of Object.entries(deployments)) {
      const used = new Map([...templates].filter(([path]) => !without.includes(path)));
      await writeFile(join(folder, name), JSON.stringify(armTemplate(used, flags)));
    }
    const frameworks = ['arm', 'bicep', 'dockerfile', 'secrets'];
    const options = ['--skip-download', '--compact', '-o', 'json'];
    const { stdout, stderr } = await runTool('checkov', ['-d', folder, '--framework', ...frameworks, ...options]);
    if (!stdout.trim()) throw new Error(`checkov said nothing:\n${stderr}`);
    report = Reports.parse(JSON.parse(stdout));
  } finally {
    await rm(folder, { recursive: true });
  }
});

const results = (framework: (name: string) => boolean) =>
  report.filter(({ check_type }) => framework(check_type)).map(({ results }) => results);

it('image, scripts and templates pass as they are written, and what is skipped there says why', () => {
  const written = results((name) => name !== 'arm');
  expect(written.flatMap(({ failed_checks, parsing_errors }) => [...failed_checks, ...parsing_errors])).toEqual([]);
  const skipped = written.flatMap(({ skipped_checks }) => skipped_checks);
  expect(skipped.map(({ check_id }) => check_id)).toEqual(['CKV_DOCKER_3']);
  expect(skipped[0]?.check_result.suppress_comment?.length).toBeGreaterThan(30);
  expect(written.flatMap(({ passed_checks }) => passed_checks).length).toBeGreaterThan(50);
});

it('what the verified modules make passes every rule but those that are not kept for a reason', async () => {
  const made = results((name) => name === 'arm');
  const skips = Skips.parse(parse(await readFile(join(PROJECT, 'infra/checkov.yaml'), 'utf8')));
  const failed = (file: string): string[] => {
    const checks = made
      .flatMap(({ failed_checks }) => failed_checks)
      .filter(({ file_path }) => file_path.endsWith(file));
    return [...new Set(checks.map(({ check_id }) => check_id))].sort();
  };
  const expected = (...parts: string[]): string[] => parts.flatMap((part) => Object.keys(skips[part] ?? {})).sort();
  expect(failed('flex-private.json')).toEqual(expected('always', 'flex'));
  expect(failed('container-public.json')).toEqual(expected('always', 'container', 'public'));
  expect(made.flatMap(({ passed_checks }) => passed_checks).length).toBeGreaterThan(50);
});
