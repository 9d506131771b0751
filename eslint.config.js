import tseslint from 'typescript-eslint';

const product = ['functions', 'shared', 'local'];

export default tseslint.config(
  {
    ignores: ['.venv*', 'dist', 'node_modules', '.batchpoint', 'test/fixtures', 'test/host/apps', 'bench/durable-app'],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      // Our objects are closures made by factories: no method uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@azure/data-tables',
              importNames: ['TableClient', 'TableServiceClient'],
              message: 'Only shared/storage/tables may talk to tables: its port has no update without an ETag.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['shared/storage/**', 'local/**', 'test/support/**', 'test/fuzz/stored-state.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // What the end-to-end tests use of test/support is listed: the rest of it serves other tests.
    files: [
      'test/e2e/**',
      ...[
        'app',
        'running-app',
        'announce-app',
        'build',
        'models',
        'adf-pipeline',
        'adf-expression',
        'fault-proxy',
        'http-server',
        'lengths',
        'otlp-receiver',
        'span-tree',
        'traced-app',
      ].map((name) => `test/support/${name}.ts`),
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: product.map((room) => `**/${room}/**`),
              message: 'End-to-end tests speak HTTP and storage only, so that they can test any host.',
            },
            {
              group: [
                '../support/*',
                ...[
                  'app',
                  'models',
                  'adf-pipeline',
                  'fault-proxy',
                  'http-server',
                  'lengths',
                  'span-tree',
                  'traced-app',
                ].map((name) => `!../support/${name}.ts`),
              ],
              message: 'Add what an end-to-end test uses of test/support to the list in eslint.config.js.',
            },
          ],
        },
      ],
    },
  },
);
