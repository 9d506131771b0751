import { checkVariables } from '../../domain/code-variables.ts';
import { ApiError } from '../../domain/errors.ts';
import { componentOf, type Lookup } from '../../domain/pipeline/components.ts';
import type { CommandComponent, Fault, StepComponent } from '../../domain/pipeline/model.ts';
import type { ReferenceDeps } from '../referenced-version.ts';
import { codeVersion, environmentVersion } from './step-work.ts';

/** A command in a component, with the path of its field: empty for the component itself. */
interface FoundCommand {
  readonly path: string;
  readonly command: CommandComponent;
}

/** All commands that a checked component leads to, each component once. */
export function commandsIn(component: StepComponent, lookup: Lookup): FoundCommand[] {
  const seen = new Set<StepComponent>();
  const find = (one: StepComponent, path: string): FoundCommand[] => {
    if (seen.has(one)) return [];
    seen.add(one);
    if (one.type === 'command') return [{ path, command: one }];
    if (one.type === 'parallel') return [];
    return Object.entries(one.jobs).flatMap(([name, step]) => {
      const of = componentOf(step, lookup);
      return of === undefined ? [] : find(of, path === '' ? `jobs.${name}` : `${path}.jobs.${name}`);
    });
  };
  return find(component, '');
}

/** What commands name and is not there: code, environments, and variables that a process cannot have. */
export async function commandReferenceFaults(
  deps: ReferenceDeps,
  commands: readonly FoundCommand[],
  prefix: string,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  const attempt = async (path: string, check: (target: string) => Promise<unknown>) => {
    const target = `${prefix}.${path}`;
    try {
      await check(target);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const field = error.target ?? target;
      const at = field.startsWith(`${prefix}.`) ? field.slice(prefix.length + 1) : path;
      faults.push({ path: at, message: error.message.replace(`${field}: `, '') });
    }
  };
  for (const { path, command } of commands) {
    const at = path === '' ? '' : `${path}.`;
    const { code, environment, environmentVariables } = command;
    if (code !== null) await attempt(`${at}code`, (target) => codeVersion(deps, code, target));
    if (environment) await attempt(`${at}environment`, (target) => environmentVersion(deps, environment, target));
    await attempt(`${at}environmentVariables`, async (target) => checkVariables(environmentVariables, target));
  }
  return faults;
}
