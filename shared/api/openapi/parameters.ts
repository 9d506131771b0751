import { z } from 'zod';
import { PageSize } from '../../domain/management.ts';
import { Order, View } from '../management/list-query.ts';
import { DEPLOYMENT_HEADER, REQUEST_ID_HEADERS } from '../scoring/invocation-headers.ts';
import { isPaged } from './answers.ts';

/** What a route reads besides its path and its body. All of it may be left out. */
export interface RouteParameter {
  readonly in: 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType;
}

const query = (name: string, description: string, schema: z.ZodType = z.string()): RouteParameter => ({
  ...{ in: 'query', name, description, schema },
});
const header = (name: string, description: string): RouteParameter => ({
  ...{ in: 'header', name, description, schema: z.string() },
});

const API_VERSION = query('api-version', 'Any: all versions of the contract are answered alike.');
const PAGE = [
  query('limit', 'The most that a page may hold; also `$top` and `count`.', PageSize),
  query('$skiptoken', 'Of the page before, as its `nextLink` has it; also `$skip`.'),
];
const VIEW = query('listViewType', 'Whether what is archived is listed.', View);
const IF_MATCH = header('if-match', 'The ETag of the state that is to be changed.');
const INVOKE = [
  header(DEPLOYMENT_HEADER, 'The deployment; the default one without.'),
  ...REQUEST_ID_HEADERS.map((name) => header(name, 'The same id gives the same job.')),
];
const ASSETS = /\/(?:models|data|codes|components|environments)$/;

/** Parameters of single routes, by the end of their path. */
const BY_END: readonly (readonly [RegExp, readonly RouteParameter[]])[] = [
  [/^GET .*\/logs\/:job\/\*$/, [header('range', 'One range of bytes.')]],
  [/^GET .*\/logs\/:job\/\*$/, [query('se', 'Until when the URL is good.'), query('sig', 'The signature.')]],
  [
    /^GET .*\/batchendpoints\/:endpoint\/jobs$|^GET \/endpoints\/:endpoint\/jobs$/,
    [query('deployment', 'Its jobs alone.')],
  ],
  [/^POST .*\/jobs$/, INVOKE],
  [
    /^GET .*\/workspaces\/:workspace\/jobs$/,
    [VIEW, query('jobType', 'Such jobs alone.'), query('tag', 'Jobs with `name` or `name=value`.')],
  ],
  [/^GET .*\/datastores$/, [query('isDefault', 'True: the default one alone.')]],
  [new RegExp(`^GET .*${ASSETS.source}`), [VIEW]],
  [
    /^GET .*\/:name\/versions$/,
    [
      VIEW,
      query('$orderBy', 'The order of the versions.', Order),
      query('tags', 'Versions with all of these: `a,b=1`.'),
      query('hash', 'Code with this hash, whatever its name.'),
      query('hashVersion', 'How the hash was made.'),
    ],
  ],
];

/** What a route of the table reads from its query and headers. */
export function parametersOf(route: string): RouteParameter[] {
  return [
    ...(route.includes('/subscriptions/') ? [API_VERSION] : []),
    ...(isPaged(route) && !/\/datastores$/.test(route) ? PAGE : []),
    ...BY_END.filter(([pattern]) => pattern.test(route)).flatMap(([, parameters]) => parameters),
    ...(/^(?:PUT|PATCH|DELETE) .*\/(?!runs|jobs)\w+\/:\w+$/.test(route) ? [IF_MATCH] : []),
  ];
}
