import type { Grant } from './roles.ts';

/** The two surfaces, each with audiences of its own. */
export type Plane = 'scoring' | 'management';

/** Who is calling, as a verified token says, and what the caller was given. */
export interface Principal {
  /** tenant and object id: stable, unlike names and addresses (S5.4). */
  readonly subject: string;
  readonly tenantId: string;
  readonly objectId: string;
  readonly grants: readonly Grant[];
}
