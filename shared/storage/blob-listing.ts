import { RestError } from '@azure/core-rest-pipeline';
import { SaxesParser } from 'saxes';
import { propertiesOf } from './blob-properties.ts';
import type { GetBlobs } from './blob-requests.ts';
import type { BlobItem, BlobPage, ListOptions } from './ports.ts';

/**
 * One page of a container's listing, parsed while it arrives: 5,000 names are 3 MB of XML, and whoever waits for the event loop waits for
 * the parts of it alone. Throws RestError.
 */
export async function listBlobs(
  get: GetBlobs,
  container: string,
  { prefix, delimiter, page, pageSize }: ListOptions & { readonly page?: string },
  signal: AbortSignal,
): Promise<BlobPage> {
  const query = {
    restype: 'container',
    comp: 'list',
    include: 'metadata',
    ...(prefix !== undefined && { prefix }),
    ...(delimiter !== undefined && { delimiter }),
    ...(page !== undefined && { marker: page }),
    ...(pageSize !== undefined && { maxresults: String(pageSize) }),
  };
  const { stream } = await get({ container, query, signal });
  const listing = listingReader();
  try {
    for await (const part of stream.setEncoding('utf8')) listing.write(String(part));
    return listing.end();
  } catch (error) {
    // A line that breaks and an answer that ends early are the same: no answer.
    throw new RestError(String(error), { code: codeOf(error) ?? RestError.PARSE_ERROR });
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/**
 * Reads the XML of https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body. Throws Error for text that is not
 * well formed, not whole, or something else.
 */
function listingReader() {
  const items: BlobItem[] = [];
  const parser = new SaxesParser();
  /** Of the blob that is being read: its properties and metadata by name. */
  let properties = new Map<string, string>();
  let metadata: Record<string, string> = {};
  let name = '';
  let next = '';
  let text = '';
  let inMetadata = false;
  let isListing = false;

  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    text = '';
    if (tag.name === 'EnumerationResults') isListing = true;
    else if (tag.name === 'Metadata') inMetadata = true;
    else if (tag.name === 'Blob') {
      properties = new Map();
      metadata = {};
    }
  });
  parser.on('text', (part) => (text += part));
  parser.on('closetag', (tag) => {
    if (tag.name === 'Metadata') inMetadata = false;
    else if (inMetadata) metadata[tag.name] = text;
    // A name with characters that XML cannot hold is written as in an address.
    else if (tag.name === 'Name') name = tag.attributes['Encoded'] === 'true' ? decodeURIComponent(text) : text;
    else if (tag.name === 'Blob') items.push(itemOf(name, properties, metadata));
    else if (tag.name === 'NextMarker') next = text;
    else properties.set(tag.name, text);
    text = '';
  });
  return {
    write: (part: string) => parser.write(part),
    end(): BlobPage {
      parser.close();
      if (!isListing) throw new Error('This is no listing.');
      return { items, ...(next !== '' && { next }) };
    },
  };
}

const OTHER_TYPES = ['PageBlob', 'AppendBlob'] as const;

function itemOf(name: string, properties: ReadonlyMap<string, string>, metadata: Record<string, string>): BlobItem {
  const accessTier = properties.get('AccessTier');
  return {
    name,
    ...propertiesOf({
      etag: properties.get('Etag'),
      contentLength: Number(properties.get('Content-Length') ?? 0),
      contentEncoding: properties.get('Content-Encoding'),
      metadata,
    }),
    ...(accessTier && { accessTier }),
    blobType: OTHER_TYPES.find((type) => type === properties.get('BlobType')) ?? 'BlockBlob',
  };
}
