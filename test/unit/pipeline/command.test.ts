import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandFaults } from '../../../shared/domain/pipeline/command-template.ts';
import type { InputPort, OutputPort } from '../../../shared/domain/pipeline/model.ts';
import { fillCommand } from '../../../shared/pipeline/command.ts';

const text: InputPort = { kind: 'literal', type: 'string', optional: false };
const folder: OutputPort = { type: 'uri_folder' };
const component = (command: string) => ({
  command,
  inputs: {
    a: text,
    b: text,
    maybe: { ...text, optional: true },
    data: { kind: 'path', type: 'uri_folder', optional: false } as const,
  },
  outputs: { out: folder },
});

const SHELLS = ['bash', 'sh'].filter((shell) => existsSync(`/bin/${shell}`));

let folderOfRun: string;
beforeEach(() => {
  folderOfRun = mkdtempSync(join(tmpdir(), 'command-'));
});
afterEach(() => {
  rmSync(folderOfRun, { recursive: true });
});

/** What the command prints, in each shell. */
function printed(command: string, inputs: Record<string, string>, outputs: Record<string, string> = {}): string[] {
  const { script, environment } = fillCommand(component(command), { inputs, outputs });
  return SHELLS.map((shell) =>
    execFileSync(shell, ['-c', script], {
      cwd: folderOfRun,
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', ...environment },
      encoding: 'utf8',
      // With a socket for its input, bash takes itself for a remote shell and reads ~/.bashrc.
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}
const inEach = (answer: string) => SHELLS.map(() => answer);

const HOSTILE = [
  'plain',
  '',
  ' two  spaces ',
  "it's",
  'say "hi"',
  'a\nb\n\nc',
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned #',
  "'; touch pwned; '",
  '"; touch pwned; "',
  '$HOME ${PATH} $((1+1))',
  'back\\slash \\" \\\' \\n \\',
  '* ? [a-z] {a,b} ~',
  '-n',
  '--flag=x',
  '&& touch pwned || true | cat > pwned',
  '${{inputs.b}} $[[ x ]]',
  'größe 漢字 🙂',
  '\t\r\u0001',
  'a[$(touch pwned)]',
];

describe('a value in a command', () => {
  it.each(HOSTILE)('stays itself, however it is quoted and whatever stands beside it: %j', (value) => {
    const forms = [
      '${{inputs.a}}',
      '"${{inputs.a}}"',
      "'${{inputs.a}}'",
      '$[[${{inputs.a}}]]',
      '"$(printf %s. ${{inputs.a}})"',
      '"$(printf %s. "${{inputs.a}}")"',
      '--a=${{inputs.a}}/x',
      '"l ${{inputs.a}} r"',
      "'l ${{inputs.a}}${{inputs.b}}'",
    ];
    const words = [
      value,
      value,
      value,
      value,
      `${value}.`,
      `${value}.`,
      `--a=${value}/x`,
      `l ${value} r`,
      `l ${value}$b`,
    ];
    expect(printed(`printf '<%s>' ${forms.join(' ')}`, { a: value, b: '$b' })).toEqual(
      inEach(words.map((word) => `<${word}>`).join('')),
    );
    expect(existsSync(join(folderOfRun, 'pwned'))).toBe(false);
  });

  it('stays in an assignment, a here-document, a comment, a subshell and a redirection', () => {
    const value = `$(touch pwned) "x" 'y' \`touch pwned\` \\ *`;
    const command = [
      "# don't stop at ${{inputs.a}}",
      'x=${{inputs.a}}',
      'printf "<%s>" "$x"',
      'cat <<END | cat',
      "it's ${{inputs.a}}",
      'END',
      "(printf '<%s>' ${{inputs.a}}) > ${{outputs.out}}/my' 'file && cat \"${{outputs.out}}/my file\"",
    ].join('\n');
    expect(printed(command, { a: value }, { out: folderOfRun })).toEqual(inEach(`<${value}>it's ${value}\n<${value}>`));
    expect(existsSync(join(folderOfRun, 'pwned'))).toBe(false);
  });

  it('leaves the shell of the template alone', () => {
    expect(
      printed('printf "%s\\n" a b ${{inputs.a}} | sort -r | head -1 && echo $((1+2)) "${PATH:+set}"', { a: 'c' }),
    ).toEqual(inEach('c\n3 set\n'));
  });
});

describe('an optional part', () => {
  const command = "printf '<%s>' $[[--maybe ${{inputs.maybe}}]] $[[always]] $[[${{inputs.maybe}} ${{inputs.a}}]] end";

  it('is there when its inputs are, and when it has none', () => {
    expect(printed(command, { a: 'A', maybe: 'M' })).toEqual(inEach('<--maybe><M><always><M><A><end>'));
  });

  it('is left out when one of its inputs is absent', () => {
    expect(printed(command, { a: 'A' })).toEqual(inEach('<always><end>'));
  });

  it('is there for an empty text', () => {
    expect(printed(command, { a: 'A', maybe: '' })).toEqual(inEach('<--maybe><><always><><A><end>'));
  });
});

describe('a command that cannot be filled in', () => {
  it.each([
    ['echo `cat ${{inputs.a}}`', '${{inputs.a}} stands in backticks; use $( ) in their place'],
    ['echo "`cat ${{inputs.a}}`"', '${{inputs.a}} stands in backticks; use $( ) in their place'],
    [
      "cat <<'END'\n${{inputs.a}}\nEND",
      '${{inputs.a}} stands in a here-document whose end word is quoted, where no value is filled in',
    ],
    [
      'echo $((${{inputs.a}} + 1))',
      '${{inputs.a}} stands in arithmetic, which would run what the value holds; leave the sum to the program',
    ],
    [
      'if ((${{inputs.a}} > 1)); then echo; fi',
      '${{inputs.a}} stands in arithmetic, which would run what the value holds; leave the sum to the program',
    ],
    ['[[ ${{inputs.a}} -gt 1 ]]', '${{inputs.a}} stands in [[ ]], which may run what the value holds; use [ ]'],
    ["echo $'${{inputs.a}}'", "${{inputs.a}} stands in $'...'; use plain quotes"],
    ['echo ${x:${{inputs.a}}}', '${{inputs.a}} stands in ${ }; set a variable to it first'],
    ['echo \\${{inputs.a}}', '${{inputs.a}} stands right after a backslash'],
    ['echo ${{inputs.none}}', '${{inputs.none}} names no input of the component (it has a, b, maybe, data)'],
    ['echo ${{outputs.a}}', '${{outputs.a}} names no output of the component (it has out)'],
    ['echo ${{inputs.a.path}}', '${{inputs.a.path}} names no input of the component (it has a, b, maybe, data)'],
    [
      'echo ${{parent.inputs.a}}',
      '${{parent.inputs.a}} is unknown: a command may name ${{inputs.x}} and ${{outputs.y}}',
    ],
    ['echo ${{inputs.maybe}}', '${{inputs.maybe}} is optional and may be absent: put what needs it in $[[ ]]'],
    ['echo ${{inputs.a', 'has a ${{ without its }}'],
    ['echo $[[ ${{inputs.a}}', 'has a $[[ without its ]]'],
    ['echo $[[ x $[[ y ]]', 'has a $[[ inside a $[['],
  ])('says why: %s', (command, fault) => {
    expect(commandFaults(command, component(command))).toEqual([fault]);
  });

  it.each([
    'python a.py --data ${{inputs.data.path}} --out "${{outputs.out.path}}"',
    'echo `date` ${{inputs.a}}',
    'echo $((1+1)) $[1+1] ${x} [[ -n x ]] ${{inputs.a}}',
    "cat <<'END' && echo ${{inputs.a}}\nit's `\nEND\necho ${{inputs.b}}",
    'echo ${{ inputs.a }} $[[ ${{ inputs.maybe }} ]]',
    '',
  ])('is not one of these: %s', (command) => {
    expect(commandFaults(command, component(command))).toEqual([]);
  });
});
