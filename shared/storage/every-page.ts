import type { BlobItem, Blobs, ListOptions } from './ports.ts';

/** The items of all pages of a listing. */
export async function* everyPage(
  listPage: Blobs['listPage'],
  container: string,
  options: ListOptions = {},
): AsyncGenerator<BlobItem, void, undefined> {
  let page: string | undefined;
  do {
    const listed = await listPage(container, { ...options, ...(page !== undefined && { page }) });
    yield* listed.items;
    page = listed.next;
  } while (page !== undefined);
}
