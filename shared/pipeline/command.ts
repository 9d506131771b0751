import { JobFault } from '../domain/errors.ts';
import { portNamed, readTemplate, type Reference, type TemplatePart } from '../domain/pipeline/command-template.ts';
import type { CommandComponent } from '../domain/pipeline/model.ts';
import { own } from '../domain/pipeline/own.ts';
import { shellScript, type ScriptPart } from '../domain/pipeline/shell-script.ts';

/** What `bash -c` (or `sh -c`) is given, and the variables that must be in its environment, after all others. */
export interface ShellCommand {
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
}

const PREFIX = 'BATCHPOINT_VALUE_';

/**
 * Fills in a component's command. `inputs` are the texts of literals and the local paths of files and folders; an absent one is an
 * optional input that was not given. `outputs` are local paths. Throws JobFault for a command that cannot be filled in, which
 * `commandFaults` tells when the component is created.
 */
export function fillCommand(
  component: Pick<CommandComponent, 'command' | 'inputs' | 'outputs'>,
  values: { readonly inputs: Readonly<Record<string, string>>; readonly outputs: Readonly<Record<string, string>> },
): ShellCommand {
  const template = readTemplate(component.command);
  if ('fault' in template) throw new JobFault('CommandNotFilledIn', `The command ${template.fault}.`);
  const valueOf = (reference: Reference): string | undefined => {
    const name = portNamed(component, reference);
    return name === undefined ? undefined : own(values[reference.room], name);
  };
  const isThere = (part: TemplatePart) => typeof part === 'string' || valueOf(part) !== undefined;
  const kept = template.stretches.filter(({ optional, parts }) => !optional || parts.every(isThere));

  const variables = new Map<string, string>();
  const environment: Record<string, string> = {};
  const asScript = (part: TemplatePart): ScriptPart => {
    if (typeof part === 'string') return part;
    const shown = `\${{${part.room}.${part.name}}}`;
    const value = valueOf(part);
    if (value === undefined)
      throw new JobFault('CommandNotFilledIn', `The command needs ${shown}, which has no value.`);
    const variable = variables.get(shown) ?? `${PREFIX}${variables.size + 1}`;
    variables.set(shown, variable);
    environment[variable] = value;
    return { variable, shown };
  };
  const filled = shellScript(kept.flatMap(({ parts }) => parts).map(asScript));
  if ('faults' in filled) throw new JobFault('CommandNotFilledIn', `In the command, ${filled.faults.join('; ')}.`);
  return { script: filled.script, environment };
}
