/** The two surfaces, each with audiences of its own. */
export type Plane = 'scoring' | 'management';

/** Who is calling, as a verified token says. */
export interface Principal {
  /** tenant and object id: stable, unlike names and addresses (S5.4). */
  readonly subject: string;
  readonly tenantId: string;
  readonly objectId: string;
  /** App roles of a token for this app; none of a token for another service. */
  readonly roles: readonly string[];
}
