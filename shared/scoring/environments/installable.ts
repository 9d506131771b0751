import { readCondaFile, type Installable } from './conda-file.ts';
import type { EnvironmentNeeds } from './needs.ts';
import { requirementLines } from './requirement-lines.ts';

/** What can be installed of an environment; undefined when it has no file that says what. Throws ModelFault for bad files. */
export function installableOf({ label, condaFile, requirements }: EnvironmentNeeds): Installable | undefined {
  if (condaFile === null && requirements === null) return undefined;
  const conda = condaFile === null ? undefined : readCondaFile(condaFile, label);
  const pip = requirements === null ? undefined : requirementLines(requirements, label);
  return {
    python: conda?.python ?? null,
    requirements: [...new Set([...(conda?.requirements ?? []), ...(pip?.lines ?? [])])],
    ignored: [...(conda?.ignored ?? []), ...(pip?.ignored ?? [])],
  };
}
