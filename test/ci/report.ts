import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { z } from 'zod';

/** What vitest's JSON reporter writes, as far as it is read here. */
const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).default([]) }),
      ),
    }),
  ),
});
type TestFile = z.infer<typeof Report>['testResults'][number];

const USAGE = `Usage: node test/ci/report.ts again <reports> <suite>   the files that failed, when they are few
       node test/ci/report.ts sum <reports>            what failed, a line for each suite, and the sum
`;

/** More files than this do not fail by chance. */
const BY_CHANCE = 3;
const SHOWN_CHARACTERS = 1500;

const [command, reports = '', suite = ''] = process.argv.slice(2);
if (command === 'again') again();
else if (command === 'sum') sum();
else process.stderr.write(USAGE);

/** Of more than a few files none: they did not fail by chance. */
function again(): void {
  const broken = filesOf(suite).filter((file) => !isWhole(file));
  if (broken.length <= BY_CHANCE) for (const { name } of broken) print(relative(process.cwd(), name));
}

function sum(): void {
  let passed = 0;
  let failed = 0;
  for (const name of ['unit', 'chaos', 'fuzz', 'python', 'sdk', 'infra']) {
    const counted = name === 'sdk' ? pytest(name) : vitest(name);
    // Types, lint, format and set-up come before the tests: their failure is one failure, and so is a suite without a test.
    const broken = read(`${name}.status`).trim() !== '0' || counted.passed === 0;
    const lost = counted.failed || (broken ? 1 : 0);
    print(`${name}: ${counted.passed} passed, ${lost} failed`);
    passed += counted.passed;
    failed += lost;
  }
  print(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** A file that ran a second time counts as it ended there. The failures of both runs are told. */
function vitest(name: string): { passed: number; failed: number } {
  const second = filesOf(`${name}-again`);
  const first = filesOf(name);
  for (const file of first) tell(file, second.length > 0 ? 'FAILED AT FIRST' : 'FAILED');
  for (const file of second) tell(file, 'FAILED AGAIN');
  const files = first.map((file) => second.find((other) => other.name === file.name) ?? file);
  const total = files.reduce((count, { assertionResults }) => count + assertionResults.length, 0);
  const passed = files.reduce((count, file) => count + passedIn(file), 0);
  return { passed, failed: total - passed };
}

function pytest(name: string): { passed: number; failed: number } {
  const [, passed = 0, failed = 0] = /(\d+) passed, (\d+) failed\s*$/.exec(read(`${name}.txt`)) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

function tell(file: TestFile, word: string): void {
  if (isWhole(file)) return;
  print(`${word}: ${relative(process.cwd(), file.name)} ${file.message ?? ''}`);
  for (const { fullName, status, failureMessages } of file.assertionResults)
    if (status !== 'passed')
      print(`  ${status}: ${fullName}\n${failureMessages.join('\n').slice(0, SHOWN_CHARACTERS)}`);
}

function isWhole(file: TestFile): boolean {
  return file.status === 'passed' && passedIn(file) === file.assertionResults.length;
}

function passedIn({ assertionResults }: TestFile): number {
  return assertionResults.filter(({ status }) => status === 'passed').length;
}

/** A suite that did not come to its tests has no report. */
function filesOf(name: string): TestFile[] {
  const text = read(`${name}.json`);
  return text === '' ? [] : Report.parse(JSON.parse(text)).testResults;
}

function read(name: string): string {
  const path = `${reports}/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
