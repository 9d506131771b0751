import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.batchpoint', 'test/fixtures', 'test/host/apps'] },
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
  { files: ['shared/storage/**', 'local/**', 'test/support/**'], rules: { 'no-restricted-imports': 'off' } },
);
