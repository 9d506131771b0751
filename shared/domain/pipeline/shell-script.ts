/**
 * Puts values into a shell's text without letting the shell read them. A value is never part of the script: the script names an
 * environment variable, quoted for the place where it stands. The result of an expansion is not parsed again, so quotes, newlines
 * and `$(...)` in a value stay data; where a shell would evaluate a value all the same (arithmetic), or would not expand a
 * variable at all (a quoted here-document), the text is refused.
 */

export type ScriptPart = string | { readonly variable: string; /** As the user wrote it. */ readonly shown: string };

type State =
  | 'plain'
  | 'single'
  | 'double'
  /** `$( )` and `( )`: plain again, until the bracket. */
  | 'parenthesis'
  | 'here-document'
  | 'comment'
  /** No values in these. */
  | 'quoted here-document'
  | 'backticks'
  | 'ansi'
  | 'braces'
  | 'arithmetic'
  | 'index'
  | 'test';

const REFUSED: Partial<Record<State, string>> = {
  'quoted here-document': 'in a here-document whose end word is quoted, where no value is filled in',
  backticks: 'in backticks; use $( ) in their place',
  ansi: "in $'...'; use plain quotes",
  braces: 'in ${ }; set a variable to it first',
  arithmetic: 'in arithmetic, which would run what the value holds; leave the sum to the program',
  index: 'in $[ ], which would run what the value holds; leave the sum to the program',
  test: 'in [[ ]], which may run what the value holds; use [ ]',
};

interface HereDocument {
  readonly end: string;
  readonly quoted: boolean;
  readonly tabs: boolean;
}

const BACKSLASH = '\\';

/** Reads one piece of text after the other and knows how what follows it is quoted. */
function reader() {
  const states: State[] = ['plain'];
  let waiting: HereDocument[] = [];
  let open: HereDocument | undefined;
  let line = '';
  let before = '\n';
  let escaped = false;

  const state = (): State => states.at(-1) ?? 'plain';
  const enter = (next: State) => void states.push(next);
  const leave = () => void (states.length > 1 && states.pop());
  const isPlain = () => state() === 'plain' || state() === 'parenthesis';

  function nextDocument(): void {
    open = waiting.shift();
    line = '';
    if (open !== undefined) enter(open.quoted ? 'quoted here-document' : 'here-document');
  }

  function inDocument(character: string, document: HereDocument): void {
    if (character !== '\n') {
      line += character;
      return;
    }
    const ended = (document.tabs ? line.replace(/^\t+/, '') : line) === document.end;
    line = '';
    if (!ended) return;
    leave();
    nextDocument();
  }

  /** Handles what begins at `at` and answers how many characters it has. */
  function step(text: string, at: number): number {
    const character = text.charAt(at);
    if (open !== undefined) {
      inDocument(character, open);
      return 1;
    }
    const now = state();
    const rest = text.slice(at, at + 300);
    if (now === 'comment') {
      if (character !== '\n') return 1;
      leave();
    }
    if (now === 'single') {
      if (character === "'") leave();
      return 1;
    }
    if (character === BACKSLASH) {
      escaped = at + 1 >= text.length;
      return 2;
    }
    return insideOf(now, character, rest);
  }

  function insideOf(now: State, character: string, rest: string): number {
    if (now === 'ansi') {
      if (character === "'") leave();
      return 1;
    }
    if (now === 'backticks' && character === '`') {
      leave();
      return 1;
    }
    if (now === 'test' && /^\]\](?=[\s;&|)]|$)/.test(rest)) {
      leave();
      return 2;
    }
    if ((now === 'arithmetic' && rest.startsWith('))')) || (now === 'index' && character === ']')) {
      leave();
      return now === 'index' ? 1 : 2;
    }
    if (now === 'braces' && character === '}') {
      leave();
      return 1;
    }
    const opened = /^\$(?:\(\(|\(|\{|\[)/.exec(rest)?.[0];
    if (opened !== undefined) {
      enter(opened === '$((' ? 'arithmetic' : opened === '$(' ? 'parenthesis' : opened === '${' ? 'braces' : 'index');
      return opened.length;
    }
    if (character === '`') {
      enter('backticks');
      return 1;
    }
    if (character === '"') {
      if (now === 'double') leave();
      else enter('double');
      return 1;
    }
    return now === 'double' ? 1 : unquoted(character, rest);
  }

  function unquoted(character: string, rest: string): number {
    const wordStarts = /[\s;&|()]/.test(before);
    if (rest.startsWith("$'")) {
      enter('ansi');
      return 2;
    }
    if (character === "'") enter('single');
    if (!isPlain()) return 1;
    if (character === '#' && wordStarts) enter('comment');
    if (character === '\n') nextDocument();
    if (character === ')' && state() === 'parenthesis') leave();
    if (wordStarts && rest.startsWith('((')) {
      enter('arithmetic');
      return 2;
    }
    if (character === '(') enter('parenthesis');
    if (wordStarts && /^\[\[\s/.test(rest)) {
      enter('test');
      return 2;
    }
    if (rest.startsWith('<<<')) return 3;
    const document = /^<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|(\\?)([^\s;&|<>()'"`$\\]+))/.exec(rest);
    if (!document) return 1;
    const [whole, tabs, single, double, slash, bare] = document;
    waiting = [
      ...waiting,
      { end: single ?? double ?? bare ?? '', quoted: bare === undefined || slash !== '', tabs: tabs !== '' },
    ];
    return whole.length;
  }

  return {
    state,
    /** True when the text ended in a backslash, which would take the value's own quote. */
    endsEscaped: () => escaped,
    read(text: string): void {
      escaped = false;
      for (let at = 0; at < text.length;) {
        const length = step(text, at);
        before = text.charAt(Math.min(at + length, text.length) - 1);
        at += length;
      }
    },
    /** A value stood here: it is part of a word. */
    readValue(): void {
      before = 'v';
      line += 'v';
    },
  };
}

/** How a variable stands in each place: always so that the shell takes its value as one piece of one word. */
function quoted(state: State, variable: string): string {
  const expansion = `\${${variable}}`;
  if (state === 'single') return `'"${expansion}"'`;
  return state === 'plain' || state === 'parenthesis' ? `"${expansion}"` : expansion;
}

/** The script for `sh -c` or `bash -c`, or what stands where no value can stand. */
export function shellScript(
  parts: readonly ScriptPart[],
): { readonly script: string } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const shell = reader();
  let script = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      shell.read(part);
      script += part;
      continue;
    }
    const refused = REFUSED[shell.state()] ?? (shell.endsEscaped() ? 'right after a backslash' : undefined);
    if (refused !== undefined) faults.push(`${part.shown} stands ${refused}`);
    script += quoted(shell.state(), part.variable);
    shell.readValue();
  }
  return faults.length > 0 ? { faults } : { script };
}
