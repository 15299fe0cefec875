import { join } from 'node:path'
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import reactHooks from 'eslint-plugin-react-hooks'
import { consoleLayers, layers, packageHomes } from './eslint/architecture.ts'
import { createFeatureRule } from './eslint/feature-rule.ts'
import { createLayerRule } from './eslint/layer-rule.ts'
import { createPackageHomeRule } from './eslint/package-home-rule.ts'

const serverRoot = join(import.meta.dirname, 'server', 'src')
const consoleRoot = join(import.meta.dirname, 'console', 'src')
const tests = ['**/*.test.{ts,tsx}', 'server/test/**', 'console/test/**', 'console/e2e/**']

/** Blank and comment lines are free: room to breathe costs nothing. */
const lines = (max) => ['error', { max, skipBlankLines: true, skipComments: true }]

const budget = {
  'max-lines': lines(400),
  'max-lines-per-function': lines(60),
  'max-depth': ['error', 3],
  'max-params': ['error', 3],
  complexity: ['error', 12],
}

// where the compiler cannot follow: Kysely's builders, given a table name that is a parameter
const castsAllowed = ['server/src/db/database.ts', 'server/src/db/group-commit.ts']
const outsideParsers = ':not(FunctionDeclaration[id.name=/^parse/] *):not(VariableDeclarator[id.name=/^parse/] *)'

export default defineConfig(
  { ignores: ['**/node_modules/', '**/dist/', '**/coverage/', '**/.cache/', 'data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: ['**/*.{js,ts,tsx}'], rules: budget },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [createNodeResolver()],
    },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-default-export': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: `TSAsExpression:not([typeAnnotation.typeName.name="const"])${outsideParsers}`,
          message: 'No `as` except `as const` and inside a function named parse…: parse the value, or let the compiler see why it fits.',
        },
      ],
      // short arrow functions may pass on a void result, and numbers may stand in texts
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // an async function may be one only because its type is
      '@typescript-eslint/require-await': 'off',
      // what we build are closures: nothing depends on `this`
      '@typescript-eslint/unbound-method': 'off',
      // `() => void (await work())` says that the result does not matter
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // counts only what is written, not what is inferred
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // says no to `string & keyof Tables`
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      // the compiler reports these
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  {
    files: ['server/src/**/*.ts'],
    plugins: {
      local: { rules: { layers: createLayerRule(serverRoot, layers), 'package-homes': createPackageHomeRule(serverRoot, packageHomes) } },
    },
    rules: {
      'local/layers': 'error',
      'local/package-homes': 'error',
    },
  },
  {
    files: ['server/src/**/*.ts'],
    ignores: ['server/src/config.ts', ...tests],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' }],
    },
  },
  {
    files: ['server/src/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'EventSource'].map((name) => ({ name, message: 'Calls go through the guarded fetch, or to models.' })),
      ],
    },
  },
  { files: ['server/src/**/*.ts'], ignores: ['server/src/{cli,cli/**/*}.ts', ...tests], rules: { 'no-console': 'error' } },
  {
    // what a browser shows is a tree: a component may be as long as a page of a book
    files: ['console/src/**/*.tsx'],
    ignores: tests,
    rules: { 'max-lines-per-function': lines(120) },
  },
  {
    files: ['console/{src,test}/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    plugins: { local: { rules: { layers: createLayerRule(consoleRoot, consoleLayers), features: createFeatureRule(consoleRoot) } } },
    rules: { 'local/layers': 'error', 'local/features': 'error' },
  },
  {
    // the console takes their types: what they import is compiled with it, and would have to run in a browser
    files: ['server/src/http/console/*-wire.ts'],
    ignores: ['server/src/http/console/pat-wire.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!zod$|\\.\\./open/open-fields\\.ts$|\\./[a-z0-9-]+-wire\\.ts$)',
              message: 'A wire file of the console imports zod, open-fields and other wire files only.',
            },
          ],
        },
      ],
    },
  },
  { files: castsAllowed, rules: { 'no-restricted-syntax': 'off' } },
  {
    files: tests,
    rules: {
      'max-lines-per-function': lines(200),
      // what a server answered is asserted on, not parsed
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'local/package-homes': 'off',
    },
  },
  { files: ['**/*.config.{js,ts}', '**/*-reporter.ts', '**/*-global-setup.ts'], rules: { 'import-x/no-default-export': 'off' } },
)
