import { ensureBuilt } from './build.ts';
import { exitWith } from './exit.ts';
import { PROJECT } from './stack.ts';

// `npm run compile`: dist/ as Azure gets it.
await exitWith(() => ensureBuilt(PROJECT, (text) => process.stdout.write(text)));
