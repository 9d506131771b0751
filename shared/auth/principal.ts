import type { Grant } from './roles.ts';

/** The two surfaces, each with audiences of its own. */
export type Plane = 'scoring' | 'management';

/** Who is calling, as a verified token says, and what the caller was given. */
export interface Principal {
  /** tenant and object id: stable, unlike names and addresses (S5.4). */
  readonly subject: string;
  readonly tenantId: string;
  readonly objectId: string;
  /** What the token calls them, for people to read. */
  readonly name?: string;
  /** Whether the token is a person's, for this app; an app's own; or one for another service. */
  readonly kind: 'person' | 'app' | 'foreign';
  readonly grants: readonly Grant[];
}
