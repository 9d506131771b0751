import { describe, expect, it } from 'vitest';
import { StorageFault } from '../../shared/storage/ports.ts';
import { account, caught, type Handler } from '../support/scripted-account.ts';

const blob = (name: string, more = '') => `<Blob><Name>${name}</Name><Properties>
  <Etag>0x1</Etag><Content-Length>7</Content-Length>${more}<BlobType>AppendBlob</BlobType></Properties></Blob>`;
const listing = (blobs: string, next = '') =>
  `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs}</Blobs>${next}</EnumerationResults>`;
const item = { etag: '"0x1"', length: 7, metadata: {}, blobType: 'AppendBlob' };

/** Gives the answers in turn; one that breaks ends in the middle of a letter of two bytes. */
const inTurn = (...answers: { text: string; breaks?: true }[]): Handler => {
  let turn = 0;
  return (request, response) => {
    const { text, breaks } = answers[Math.min(turn++, answers.length - 1)] ?? { text: '' };
    const bytes = Buffer.from(text);
    response.writeHead(200, { 'content-length': bytes.length });
    if (!breaks) return response.end(bytes);
    return response.write(bytes.subarray(0, bytes.indexOf('ö') + 1), () =>
      setImmediate(() => request.socket.destroy()),
    );
  };
};

describe('a listing', () => {
  it('is read as Azure writes it', async () => {
    const text = listing(
      blob('a&amp;b/ö.csv', '<Content-Encoding>gzip</Content-Encoding><AccessTier>Cool</AccessTier>') +
        blob('x').replace('<Name>', '<Name Encoded="true">').replace('>x<', '>bell%07%2F%25.csv<') +
        blob('m').replace('</Blob>', '<Metadata Encrypted="true"><Name>first</Name><Hdi_IsFolder /></Metadata></Blob>'),
      '<NextMarker>2!92!abc--</NextMarker>',
    );
    const { blobs } = await account(inTurn({ text }));
    expect(await blobs.listPage('data')).toEqual({
      items: [
        { ...item, name: 'a&b/ö.csv', contentEncoding: 'gzip', accessTier: 'Cool' },
        { ...item, name: 'bell\u0007/%.csv' },
        { ...item, name: 'm', metadata: { name: 'first', hdi_isfolder: '' } },
      ],
      next: '2!92!abc--',
    });
  });

  it('passes over the folders of a hierarchy', async () => {
    const text = listing(`<BlobPrefix><Name>in/deep/</Name></BlobPrefix>${blob('in/a.csv')}`, '<NextMarker/>');
    const { blobs } = await account(inTurn({ text }));
    expect(await blobs.listPage('data', { prefix: 'in/', delimiter: '/' })).toEqual({
      items: [{ ...item, name: 'in/a.csv' }],
    });
  });

  it('whose line breaks is asked for again', async () => {
    const text = listing(blob('a.csv') + blob('ö.csv'));
    const { blobs, requests } = await account(inTurn({ text, breaks: true }, { text }));
    expect(await blobs.listPage('data')).toEqual({
      items: [
        { ...item, name: 'a.csv' },
        { ...item, name: 'ö.csv' },
      ],
    });
    expect(requests).toHaveLength(2);
  });

  it.each(['', '<EnumerationResults><Blobs>', '<html><p>Sign in</p></html>'])(
    'that is none, but %j, is a fault and not an empty folder',
    async (text) => {
      const { blobs } = await account(inTurn({ text }));
      const fault = await caught(blobs.listPage('data'));
      expect(fault).toBeInstanceOf(StorageFault);
      expect(fault).toMatchObject({ status: 0, code: 'PARSE_ERROR' });
    },
  );
});
