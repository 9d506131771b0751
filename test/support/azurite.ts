import { startAzurite as startAt, type Azurite } from '../../cli/azurite.ts';

/** A fresh, empty Azurite in memory on ports of the system's choice. */
export const startAzurite = (): Promise<Azurite> => startAt({ ports: [0, 0, 0] });

export type { Azurite };
