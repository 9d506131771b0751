import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { fromPipConfig } from '../../../../shared/scoring/environments/package-index.ts';

describe('fromPipConfig', () => {
  test('translates what pip knows of indexes and certificates, and leaves the rest', () => {
    expect(
      fromPipConfig([
        "global.index-url='https://user:word@one.example.test/simple'",
        "global.extra-index-url='\\nhttps://two.example.test/simple\\nhttps://three.example.test/simple'",
        "global.cert='/etc/ssl/one.pem'",
        "global.trusted-host='one.example.test two.example.test'",
        "global.timeout='60'",
        "list.format='columns'",
      ]),
    ).toEqual({
      UV_DEFAULT_INDEX: 'https://user:word@one.example.test/simple',
      UV_INDEX: 'https://two.example.test/simple https://three.example.test/simple',
      SSL_CERT_FILE: '/etc/ssl/one.pem',
      UV_INSECURE_HOST: 'one.example.test two.example.test',
    });
  });

  test('a variable is stronger than what is for installs, and that than what is for all', () => {
    const lines = [
      ":env:.index-url='https://variable.example.test'",
      "global.index-url='https://all.example.test'",
      "install.index-url='https://install.example.test'",
    ];
    expect(fromPipConfig(lines)).toEqual({ UV_DEFAULT_INDEX: 'https://variable.example.test' });
    expect(fromPipConfig(lines.slice(1))).toEqual({ UV_DEFAULT_INDEX: 'https://install.example.test' });
  });

  test('folders of archives are taken only when they are there, as pip does', () => {
    expect(fromPipConfig([`global.find-links='/not/there ${tmpdir()} https://example.test/wheels'`])).toEqual({
      UV_FIND_LINKS: `${tmpdir()},https://example.test/wheels`,
    });
    expect(fromPipConfig(["global.find-links='/not/there'"])).toEqual({});
    expect(fromPipConfig([])).toEqual({});
  });
});
